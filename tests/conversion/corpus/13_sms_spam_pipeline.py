# title: SMS spam with counts and a threshold of its own
# expect: converts
# why: the threshold and the label map are constants of the notebook; the columns are renamed after reading
# input: sms (data/sms.csv)
# label: v1
# output: is_spam (True or False)

# %%
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.naive_bayes import MultinomialNB
from sklearn.model_selection import train_test_split
from sklearn.metrics import precision_score, recall_score

# %%
sms = pd.read_csv("data/sms.csv", encoding="latin-1")
sms.columns = ["label", "message"]
sms.groupby("label").describe()

# %%
sms['length'] = sms['message'].apply(len)
sms['length'].plot(bins=50, kind='hist')

# %%
sms["y"] = sms.label.map({"ham": 0, "spam": 1})
msg_train, msg_test, label_train, label_test = train_test_split(sms['message'], sms['y'], test_size=0.25, random_state=21)

pipeline = Pipeline([
    ('bow', CountVectorizer(lowercase=True)),
    ('tfidf', TfidfTransformer()),
    ('classifier', MultinomialNB(alpha=0.5)),
])
pipeline.fit(msg_train, label_train)

# %%
THRESHOLD = 0.35   # we rather lose a ham than see a spam
probs = pipeline.predict_proba(msg_test)[:, 1]
is_spam = probs > THRESHOLD
print("precision", precision_score(label_test, is_spam), "recall", recall_score(label_test, is_spam))

# === answer
import re
import numpy as np

_raw = pd.read_csv("data/sms.csv", encoding="latin-1")
held_rows = _raw.loc[[*msg_test.index, *msg_train.index]]
held_predictions = np.concatenate([is_spam, pipeline.predict_proba(msg_train)[:, 1] > 0.35])
_bow, _idf, _nb = pipeline["bow"], pipeline["tfidf"], pipeline["classifier"]


def answer(rows):
    out = []
    for text in rows["v2"]:
        x = np.zeros(len(_bow.vocabulary_))
        for word in re.findall(r"\b\w\w+\b", text.lower()):
            if word in _bow.vocabulary_:
                x[_bow.vocabulary_[word]] += 1
        x = x * _idf.idf_
        x = x / (np.sqrt((x**2).sum()) or 1.0)
        log = _nb.feature_log_prob_ @ x + _nb.class_log_prior_
        out.append(bool(np.exp(log[1]) / np.exp(log).sum() > 0.35))
    return out


rows = pd.DataFrame(
    {"v2": ["URGENT! claim your free prize now", "see you at lunch tomorrow, ok?", "free lunch at home", "cash for the meeting £100", "nothing known"]}
)
