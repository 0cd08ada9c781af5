# title: Cultivars of wine on a t-SNE map
# expect: refused
# why: t-SNE lays all rows out together and has no way to place a new one; the classifier knows only its map
# mentions: TSNE|t-SNE|embedding
# input: wine (frame of sklearn's load_wine)
# label: target
# output: y_pred

# %% [markdown]
# # Visualising and classifying wine
# t-SNE separates the cultivars beautifully, so a simple kNN on the map should be enough!

# %%
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

wine = load_wine(as_frame=True).frame
wine.head()

# %%
features = wine.drop(columns="target")
scaled = StandardScaler().fit_transform(features)
tsne = TSNE(n_components=2, perplexity=25, max_iter=300, method="exact", random_state=0)  # exact: there are only 178 wines
embedding = tsne.fit_transform(scaled)

# %%
plt.figure(figsize=(6, 5))
plt.scatter(embedding[:, 0], embedding[:, 1], c=wine["target"], cmap="viridis", s=15)
plt.title("t-SNE of 13 chemical properties")
plt.show()

# %% [markdown]
# Clear clusters. Now kNN.

# %%
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.metrics import classification_report

E_train, E_test, y_train, y_test = train_test_split(embedding, wine["target"], test_size=0.25, random_state=0)
knn = KNeighborsClassifier(n_neighbors=5)
knn.fit(E_train, y_train)
y_pred = knn.predict(E_test)
print(classification_report(y_test, y_pred))
