# title: Stars of a review from counted words and a few numbers beside them
# expect: converts
# why: the words are learned, the numbers are of one text; what ridge says is clipped and rounded to whole stars
# input: data (data/reviews.csv)
# label: stars
# output: stars_pred

# %%
import re
import string
import pandas as pd
import numpy as np
import matplotlib.pyplot as plt
from scipy.sparse import hstack, csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, ENGLISH_STOP_WORDS
from sklearn.linear_model import Ridge
from sklearn.preprocessing import MaxAbsScaler

data = pd.read_csv('data/reviews.csv')
data.stars.value_counts()

# %%
for _, row in data.sample(4, random_state=3).iterrows():
    print(row['stars'], '|', row['review'][:80])

# %%
def text_to_words(msg):
    msg = msg.replace('<br />', ' ')
    nopunc = ''.join([ch for ch in msg if ch not in string.punctuation])
    return [w.lower() for w in nopunc.split() if w.lower() not in ENGLISH_STOP_WORDS]

text_to_words(data['review'][1])

# %%
def meta(s):
    """some numbers about the texts"""
    m = pd.DataFrame({
        'len': s.str.len(),
        'n_words': s.apply(lambda t: len(t.split())),
        'exclaim': s.str.count('!'),
        'dots': s.str.count(r'\.\.\.'),
        'caps': s.apply(lambda t: sum(1 for c in t if c.isupper())),
    })
    m['caps_ratio'] = m['caps'] / m['len']
    return m

meta(data['review']).corrwith(data['stars'])

# %%
n = int(len(data) * .75)
df_train, df_test = data[:n], data[n:]

cv = CountVectorizer(analyzer=text_to_words, binary=True, max_features=25)
W_train = cv.fit_transform(df_train['review'])
mas = MaxAbsScaler()
M_train = mas.fit_transform(meta(df_train['review']))
X_train = hstack([W_train, csr_matrix(M_train)]).tocsr()
X_train.shape

# %%
reg = Ridge(alpha=0.7)
reg.fit(X_train, df_train['stars'])

# %%
words = pd.Series(reg.coef_[:len(cv.vocabulary_)], index=cv.get_feature_names_out()).sort_values()
words.plot.barh(figsize=(4, 7))
plt.tight_layout()

# %%
X_test = hstack([cv.transform(df_test['review']), csr_matrix(mas.transform(meta(df_test['review'])))]).tocsr()
raw_pred = reg.predict(X_test)
stars_pred = np.clip(np.rint(raw_pred), 1, 5).astype(int)
print('exact', (stars_pred == df_test['stars']).mean(), ' +-1', (abs(stars_pred - df_test['stars']) <= 1).mean())
pd.crosstab(df_test['stars'], stars_pred)

# === answer
_raw = pd.read_csv("data/reviews.csv")
held_rows = _raw.iloc[135:]
held_predictions = stars_pred


def _numbers(t):
    caps = len(re.findall("[A-Z]", t))
    return [len(t), len(t.split()), t.count("!"), len(re.findall(r"\.\.\.", t)), caps, caps / len(t)]


_largest = [max(v) for v in zip(*(_numbers(t) for t in _raw["review"].iloc[:135]))]
_words = {w: int(i) for w, i in cv.vocabulary_.items()}


def answer(rows):
    out = []
    for t in rows["review"]:
        found = set(re.sub(f"[{re.escape(string.punctuation)}]", "", t.replace("<br />", " ")).lower().split())
        value = float(reg.intercept_) + sum(float(reg.coef_[_words[w]]) for w in found if w in _words)
        for k, (number, largest) in enumerate(zip(_numbers(t), _largest)):
            value += float(reg.coef_[len(_words) + k]) * (number / largest if largest else number)
        out.append(int(min(max(round(value), 1), 5)))
    return out


rows = pd.DataFrame(
    {
        "id": [700, 701, 702, 703, 704, 705],
        "review": [
            "GREAT film, superb acting, Wonderful music! brilliant!",
            "worst... film<br />boring, Awful, hated the slow plot...",
            "I loved the music but the story was dull",
            "a story",
            "charming, funny and moving - what a SUPERB plot! loved! it",
            "predictable waste; music was slow... scenes dull and boring",
        ],
        "sentiment": ["positive", "negative", "positive", "negative", "positive", "negative"],
    }
)
