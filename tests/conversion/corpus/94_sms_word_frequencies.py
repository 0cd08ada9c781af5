# title: Ham or spam by a dictionary of word frequencies, after an assignment of a course
# expect: converts
# why: the frequencies are a dictionary counted over the training messages; a message is three numbers looked up in it
# input: data (data/sms.csv, latin-1)
# label: v1
# output: test_labels

# %% [markdown]
# # Assignment 1 with my own data
# In the course we did tweets. Here: SMS. Steps are the same
# 1. process the text
# 2. build `freqs`: (word, label) -> how many times
# 3. features of a message: sum of the positive and negative frequencies
# 4. logistic regression (sklearn this time, the gradient descent by hand was slow)

# %%
import re
import string

import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.linear_model import LogisticRegression

# %%
data = pd.read_csv("data/sms.csv", encoding="latin-1")
data.columns = ["label", "text"]
data["y"] = (data["label"] == "spam").astype(int)
data.sample(5, random_state=0)

# %%
print("spam:", data["y"].sum(), "ham:", len(data) - data["y"].sum())

# %%
stopwords = ["the", "to", "a", "in", "at", "for", "u", "you", "your", "i"]

def process_sms(text):
    """Process an sms.
    Input:
        text: a string containing a message
    Output:
        words: a list of words containing the processed message
    """
    text = text.lower()
    text = re.sub(r"£\d+", "moneysum", text)
    text = re.sub(r"\d+", "number", text)
    words = []
    for word in text.split():
        word = word.strip(string.punctuation)
        if word not in stopwords and len(word) > 1:
            words.append(word)
    return words

print(data["text"][0])
print(process_sms(data["text"][0]))

# %%
def build_freqs(texts, ys):
    yslist = np.squeeze(ys).tolist()
    freqs = {}
    for y, text in zip(yslist, texts):
        for word in process_sms(text):
            pair = (word, y)
            freqs[pair] = freqs.get(pair, 0) + 1
    return freqs

# %%
train_x, test_x = data["text"][:150], data["text"][150:]
train_y, test_y = data["y"][:150].values, data["y"][150:].values

freqs = build_freqs(train_x, train_y)
print("type(freqs) = " + str(type(freqs)))
print("len(freqs) = " + str(len(freqs.keys())))

# %%
# list some words to report in the plot
keys = ["free", "prize", "cash", "lunch", "tomorrow", "now", "moneysum", "number"]
table = []
for word in keys:
    pos = freqs.get((word, 1), 0)
    neg = freqs.get((word, 0), 0)
    table.append([word, pos, neg])
table

# %%
fig, ax = plt.subplots(figsize=(6, 6))
x = np.log([t[1] + 1 for t in table])
y = np.log([t[2] + 1 for t in table])
ax.scatter(x, y)
for i in range(len(table)):
    ax.annotate(table[i][0], (x[i], y[i]), fontsize=12)
ax.plot([0, 5], [0, 5], color="red")
plt.show()

# %%
def extract_features(text, freqs):
    word_l = process_sms(text)
    x = np.zeros((1, 3))
    x[0, 0] = len(word_l)
    for word in word_l:
        x[0, 1] += freqs.get((word, 1), 0)
        x[0, 2] += freqs.get((word, 0), 0)
    assert x.shape == (1, 3)
    return x

tmp1 = extract_features(train_x[0], freqs)
print(tmp1)
# check for when the words are not in the freqs dictionary
print(extract_features("blorb bleeeeb bloooob", freqs))

# %%
X = np.zeros((len(train_x), 3))
for i, text in enumerate(train_x):
    X[i, :] = extract_features(text, freqs)

clf = LogisticRegression(max_iter=5000)
clf.fit(np.log1p(X), train_y)
clf.coef_, clf.intercept_

# %%
def predict_sms(text, freqs, clf):
    x = np.log1p(extract_features(text, freqs))
    return clf.predict_proba(x)[0, 1]

for text in ["see you at lunch", "WIN a free prize now!!", "call 0900 for cash", "ok"]:
    print("%s -> %f" % (text, predict_sms(text, freqs, clf)))

# %%
def test_logistic_regression(test_x, test_y, freqs, clf):
    y_hat = []
    for text in test_x:
        if predict_sms(text, freqs, clf) > 0.5:
            y_hat.append(1)
        else:
            y_hat.append(0)
    accuracy = np.mean(np.asarray(y_hat) == np.squeeze(test_y))
    return y_hat, accuracy

y_hat, accuracy = test_logistic_regression(test_x, test_y, freqs, clf)
print(f"Logistic regression model's accuracy = {accuracy:.4f}")
test_labels = ["spam" if v == 1 else "ham" for v in y_hat]

# %%
# Some error analysis
for text, t, p in zip(test_x, test_y, y_hat):
    if t != p:
        print(t, p, " ".join(process_sms(text)))

# === answer
import math
from collections import Counter

_raw = pd.read_csv("data/sms.csv", encoding="latin-1")
held_rows = _raw.iloc[150:]
held_predictions = test_labels
_stop = {"the", "to", "a", "in", "at", "for", "u", "you", "your", "i"}


def _words(message):
    message = re.sub("[0-9]+", "number", re.sub("£[0-9]+", "moneysum", message.lower()))
    stripped = [w.strip(string.punctuation) for w in message.split()]
    return [w for w in stripped if len(w) > 1 and w not in _stop]


_in = {"spam": Counter(), "ham": Counter()}
for _, _r in _raw.iloc[:150].iterrows():
    _in[_r["v1"]].update(_words(_r["v2"]))


def answer(rows):
    out = []
    for message in rows["v2"]:
        found = _words(message)
        numbers = [len(found), sum(_in["spam"][w] for w in found), sum(_in["ham"][w] for w in found)]
        z = float(clf.intercept_[0]) + sum(float(w) * math.log1p(n) for w, n in zip(clf.coef_[0], numbers))
        out.append("spam" if z > 0 else "ham")
    return out


rows = pd.DataFrame(
    {
        "v2": [
            "URGENT! you WIN £250 cash, call 0900 now",
            "sorry, lunch tomorrow? love you",
            "free meeting at home",
            "the",
            "quux flarp",
            "txt now to claim your prize: £5",
            "ok see you at 8, lol",
        ]
    }
)
