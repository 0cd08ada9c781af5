# title: Customer segments by k-means with fit_predict
# expect: converts
# why: the centres are fitted, a new visitor belongs to the nearest; the names of the segments are a dict
# input: customers (data/mall.csv)
# label: none
# output: customers["segment"] (a name)

# %%
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.cluster import KMeans
from sklearn.preprocessing import MinMaxScaler

customers = pd.read_csv('data/mall.csv')
customers = customers.rename(columns={'Annual Income (k$)': 'income', 'Spending Score (1-100)': 'score'})
customers.head()

# %%
# elbow
scaler = MinMaxScaler()
Z = scaler.fit_transform(customers[['income', 'score']])
inertias = []
for k in range(1, 8):
    km = KMeans(n_clusters=k, n_init=5, random_state=42).fit(Z)
    inertias.append(km.inertia_)
plt.plot(range(1, 8), inertias, marker='o')
plt.xlabel('k'); plt.ylabel('inertia')

# %% [markdown]
# 5 it is.

# %%
kmeans = KMeans(n_clusters=5, n_init=10, random_state=42)
customers['cluster'] = kmeans.fit_predict(Z)
centres = scaler.inverse_transform(kmeans.cluster_centers_)
print(centres.round(1))

# %%
def name_of(c):
    income, score = c
    if score > 65:
        return "target" if income > 70 else "careless"
    if score < 35:
        return "careful" if income > 70 else "sensible"
    return "standard"

names = {i: name_of(c) for i, c in enumerate(centres)}
customers['segment'] = customers['cluster'].map(names)
customers.segment.value_counts()

# %%
for s, g in customers.groupby('segment'):
    plt.scatter(g.income, g.score, label=s)
plt.legend()

# === answer
held_rows = pd.read_csv("data/mall.csv")
held_predictions = customers["segment"].tolist()
_low = held_rows[["Annual Income (k$)", "Spending Score (1-100)"]].min().to_numpy()
_high = held_rows[["Annual Income (k$)", "Spending Score (1-100)"]].max().to_numpy()
_names = {int(c): s for c, s in zip(customers["cluster"], customers["segment"])}


def answer(rows):
    out = []
    for income, score in zip(rows["Annual Income (k$)"], rows["Spending Score (1-100)"]):
        z = [(income - _low[0]) / (_high[0] - _low[0]), (score - _low[1]) / (_high[1] - _low[1])]
        far = [(z[0] - c[0]) ** 2 + (z[1] - c[1]) ** 2 for c in kmeans.cluster_centers_]
        out.append(_names[far.index(min(far))])
    return out


rows = pd.DataFrame(
    {
        "CustomerID": [501, 502, 503, 504],
        "Gender": ["Male", "Female", "Female", "Male"],
        "Age": [33, 45, 21, 60],
        "Annual Income (k$)": [22, 57, 130, 90],
        "Spending Score (1-100)": [81, 48, 12, 95],
    }
)
