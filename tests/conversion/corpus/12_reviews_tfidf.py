# title: Film reviews, cleaned with regular expressions, tf-idf and logistic regression
# expect: converts
# why: the cleaning is a function of one text and the vectorizer is fitted
# input: df (data/reviews.csv)
# label: sentiment
# output: p_positive (probability of "positive")

# %% [markdown]
# # Sentiment analysis of movie reviews
# Steps:
# 1. load
# 2. clean
# 3. vectorize
# 4. train

# %%
import re
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("data/reviews.csv")
print(df.shape)
df.review[0]

# %%
STOP = {"the", "and", "a", "was", "i", "with"}

def clean(text):
    text = re.sub(r"<.*?>", " ", text)
    text = re.sub("[^a-zA-Z]", " ", text).lower()
    words = [w for w in text.split() if w not in STOP]
    return " ".join(words)

df["clean"] = df["review"].apply(clean)
df["n_words"] = df["clean"].str.split().str.len()   # just curious
df[["review", "clean", "n_words"]].head()

# %%
X_train, X_test, y_train, y_test = train_test_split(df["clean"], df["sentiment"], test_size=0.3, random_state=0)

tfidf = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
X_train_vec = tfidf.fit_transform(X_train)
X_test_vec = tfidf.transform(X_test)
print(len(tfidf.get_feature_names_out()), "features")

# %%
lr = LogisticRegression(C=5)
lr.fit(X_train_vec, y_train)
predictions = lr.predict(X_test_vec)
print("accuracy", (predictions == y_test).mean())

# %%
p_positive = lr.predict_proba(X_test_vec)[:, 1]
pd.DataFrame({"text": X_test, "p": p_positive}).sort_values("p").head()

# %%
# try it
for t in ["What a wonderful and moving film", "So boring. Worst waste of time"]:
    print(t, "->", lr.predict(tfidf.transform([clean(t)]))[0])

# === answer
import numpy as np
from collections import Counter

_raw = pd.read_csv("data/reviews.csv")
held_rows = _raw.loc[X_test.index]
held_predictions = p_positive


def answer(rows):
    out = []
    for text in rows["review"]:
        text = re.sub("<[^>]*>", " ", text)
        words = "".join(c if c.isascii() and c.isalpha() else " " for c in text).lower().split()
        words = [w for w in words if w not in ("the", "and", "a", "was", "i", "with") and len(w) > 1]
        counts = Counter(words) + Counter(f"{u} {v}" for u, v in zip(words, words[1:]))
        x = np.zeros(len(tfidf.vocabulary_))
        for term, n in counts.items():
            if term in tfidf.vocabulary_:
                at = tfidf.vocabulary_[term]
                x[at] = n * tfidf.idf_[at]
        x /= np.linalg.norm(x) or 1.0
        out.append(1 / (1 + float(np.exp(-(lr.coef_[0] @ x + lr.intercept_[0])))))
    return out


rows = pd.DataFrame(
    {
        "id": [900, 901, 902, 903],
        "review": [
            "A <b>great</b> story, superb acting and moving music!",
            "DULL plot... the worst scenes <br /> boring, slow",
            "Funny but predictable; I loved the music",
            "zzz qqq",
        ],
        "stars": [5, 1, 4, 2],
    }
)
