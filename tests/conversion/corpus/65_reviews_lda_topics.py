# title: Topics of film reviews by latent Dirichlet allocation
# expect: converts
# why: vocabulary and topics are learned, the name of a topic is made of its learned words; each document has its own topics
# input: reviews (data/reviews.csv)
# label: none
# output: reviews["topic"] (the words of a topic)

# %% [markdown]
# # What do people write about?
# Exploratory topic model for the seminar paper (Blei et al. 2003). Number of topics by perplexity on held-out documents.

# %%
import re
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.decomposition import LatentDirichletAllocation

reviews = pd.read_csv("data/reviews.csv")
print(reviews.review[0])

# %%
def clean(text):
    text = re.sub(r"<[^>]+>", " ", text)
    text = re.sub(r"[^a-zA-Z ]", "", text)
    return " ".join(text.lower().split())

reviews["clean"] = reviews["review"].apply(clean)
reviews["n_words"] = reviews["clean"].str.split().str.len()
reviews["n_words"].plot(kind="hist")

# %%
vectorizer = CountVectorizer(stop_words=["the", "was", "and", "a", "with", "i"], min_df=3, max_df=0.9)
dtm = vectorizer.fit_transform(reviews["clean"])
terms = vectorizer.get_feature_names_out()
dtm.shape

# %%
perplexity = {}
for k in (2, 3, 4):
    m = LatentDirichletAllocation(n_components=k, max_iter=5, random_state=1).fit(dtm[:140])
    perplexity[k] = m.perplexity(dtm[140:])
perplexity

# %% [markdown]
# The perplexity hardly differs. We take **three** topics because they can be interpreted.

# %%
lda = LatentDirichletAllocation(n_components=3, max_iter=25, learning_method="batch", random_state=1)
doc_topic = lda.fit_transform(dtm)

topic_names = {}
for k, weights in enumerate(lda.components_):
    top = [terms[i] for i in weights.argsort()[::-1][:4]]
    topic_names[k] = ", ".join(top)
    print(f"Topic {k}: {topic_names[k]}")

# %%
reviews["topic_no"] = doc_topic.argmax(axis=1)
reviews["topic"] = reviews["topic_no"].map(topic_names)
reviews[["review", "topic"]].sample(5, random_state=3)

# %%
table = pd.crosstab(reviews["topic"], reviews["sentiment"], normalize="index")
table.plot.barh(stacked=True)
table.round(2)

# === answer
held_rows = pd.read_csv("data/reviews.csv")
held_predictions = reviews["topic"].tolist()
_places = {str(term): place for place, term in enumerate(terms)}


def answer(rows):
    out = []
    for text in rows["review"]:
        kept, inside = "", False
        for letter in text:
            if letter == "<":
                inside, kept = True, kept + " "
            elif letter == ">":
                inside = False
            elif not inside and (letter == " " or ("a" <= letter.lower() <= "z" and letter.isascii())):
                kept += letter.lower()
        counts = np.zeros((1, len(_places)))
        for word in kept.split():
            if word in _places:
                counts[0, _places[word]] += 1
        out.append(topic_names[int(np.argmax(lda.transform(counts)[0]))])
    return out


rows = pd.DataFrame(
    {
        "id": [901, 902, 903, 904],
        "review": [
            "The plot was boring, the acting dull. What a waste!<br /><br />Worst film",
            "Loved the music and the story: charming, moving... superb",
            "acting acting scenes 2 2 brilliant",
            "I hated it & so did my dog",
        ],
        "stars": [1, 5, 4, 2],
        "sentiment": ["negative", "positive", "positive", "negative"],
    }
)
