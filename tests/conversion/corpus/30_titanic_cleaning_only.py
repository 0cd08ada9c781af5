# title: A cleaning notebook that writes train and validation files
# expect: not-predictive
# why: it prepares data for a model of another notebook and trains nothing itself
# input: df (data/titanic.csv)
# label: Survived
# output: none

# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split

df = pd.read_csv('data/titanic.csv')
df.isnull().mean().round(3)

# %%
df['Age'].fillna(df['Age'].median())   # just to see
df['Age'] = df['Age'].fillna(df.groupby('Pclass')['Age'].transform('median'))
df['Deck'] = df['Cabin'].str[0].fillna('U')
df['Embarked'] = df['Embarked'].fillna('S')
df = df.drop(columns=['Cabin', 'Name', 'PassengerId'])
df['Fare_bin'] = pd.qcut(df['Fare'], 4, labels=False)

# %%
clean = pd.get_dummies(df, columns=['Sex', 'Embarked', 'Deck'], dtype=int)
tr, va = train_test_split(clean, test_size=0.2, random_state=0)
tr.to_csv('clean_train.csv', index=False)
va.to_csv('clean_valid.csv', index=False)
print(tr.shape, va.shape)
