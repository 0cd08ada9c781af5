# title: House prices as in a beginner's course: trees, then a forest on all data, imputed frames
# expect: converts
# why: many models are tried to find a number, one forest on all of train.csv remains; the last imputer is fitted on train.csv
# input: test_data (data/house_prices/test.csv); home_data (data/house_prices/train.csv) only to learn from
# label: SalePrice
# output: output["SalePrice"] (test_preds)

# %% [markdown]
# **This notebook is my work for the Introduction + Intermediate courses.**
#
# ---

# %%
import pandas as pd
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer

# Path of the file to read
iowa_file_path = 'data/house_prices/train.csv'

home_data = pd.read_csv(iowa_file_path)

# Print summary statistics
home_data.describe()

# %%
# What is the average lot size (rounded to nearest integer)?
avg_lot_size = round(home_data.LotArea.mean())

# As of today, how old is the newest home
newest_home_age = 2024 - home_data.YearBuilt.max()
print(avg_lot_size, newest_home_age)

# %%
home_data.columns

# %%
y = home_data.SalePrice

# Create the list of features below
feature_names = ['LotArea', 'YearBuilt', 'GrLivArea', 'FullBath', 'GarageArea', 'YrSold']

# select data corresponding to features in feature_names
X = home_data[feature_names]
print(X.head())

# %%
train_X, val_X, train_y, val_y = train_test_split(X, y, random_state=1)

# Imputation
my_imputer = SimpleImputer()
imputed_X_train = pd.DataFrame(my_imputer.fit_transform(train_X))
imputed_X_valid = pd.DataFrame(my_imputer.transform(val_X))

# Imputation removed column names; put them back
imputed_X_train.columns = train_X.columns
imputed_X_valid.columns = val_X.columns

# %%
def get_mae(max_leaf_nodes, train_X, val_X, train_y, val_y):
    model = DecisionTreeRegressor(max_leaf_nodes=max_leaf_nodes, random_state=0)
    model.fit(train_X, train_y)
    preds_val = model.predict(val_X)
    mae = mean_absolute_error(val_y, preds_val)
    return(mae)

# %%
candidate_max_leaf_nodes = [5, 10, 25, 50, 100]
# Write loop to find the ideal tree size from candidate_max_leaf_nodes
for max_leaf_nodes in candidate_max_leaf_nodes:
    my_mae = get_mae(max_leaf_nodes, imputed_X_train, imputed_X_valid, train_y, val_y)
    print("Max leaf nodes: %d  \t\t Mean Absolute Error:  %d" %(max_leaf_nodes, my_mae))

scores = {leaf_size: get_mae(leaf_size, imputed_X_train, imputed_X_valid, train_y, val_y) for leaf_size in candidate_max_leaf_nodes}
best_tree_size = min(scores, key=scores.get)
best_tree_size

# %%
# Using best value for max_leaf_nodes
iowa_model = DecisionTreeRegressor(max_leaf_nodes=best_tree_size, random_state=1)
iowa_model.fit(imputed_X_train, train_y)
val_predictions = iowa_model.predict(imputed_X_valid)
val_mae = mean_absolute_error(val_predictions, val_y)
print("Validation MAE for best value of max_leaf_nodes: {:,.0f}".format(val_mae))

# Define the model. Set random_state to 1
rf_model = RandomForestRegressor(random_state=1)
rf_model.fit(imputed_X_train, train_y)
rf_val_predictions = rf_model.predict(imputed_X_valid)
rf_val_mae = mean_absolute_error(rf_val_predictions, val_y)

print("Validation MAE for Random Forest Model: {:,.0f}".format(rf_val_mae))

# %% [markdown]
# # Creating a Model For the Competition
#
# Build a Random Forest model and train it on all of **X** and **y**.

# %%
# fit on all data from the training data
final_imputer = SimpleImputer(strategy='median')
final_X = pd.DataFrame(final_imputer.fit_transform(X), columns=X.columns)

rf_model_on_full_data = RandomForestRegressor(n_estimators=100, random_state=1)
rf_model_on_full_data.fit(final_X, y)

# %% [markdown]
# # Make Predictions

# %%
# path to file you will use for predictions
test_data_path = 'data/house_prices/test.csv'
test_data = pd.read_csv(test_data_path)

# create test_X which comes from test_data but includes only the columns you used for prediction.
test_X = pd.DataFrame(final_imputer.transform(test_data[feature_names]), columns=feature_names)

# make predictions which we will submit.
test_preds = rf_model_on_full_data.predict(test_X)

# The lines below shows how to save predictions in format used for competition scoring
output = pd.DataFrame({'Id': test_data.Id,
                       'SalePrice': test_preds})
output.to_csv('submission.csv', index=False)
output.head()

# === answer
import math
import statistics

_train = pd.read_csv("data/house_prices/train.csv")
held_rows = pd.read_csv("data/house_prices/test.csv")
held_predictions = output["SalePrice"].to_numpy()
_lot = statistics.median(v for v in _train["LotArea"] if not math.isnan(v))
_trees = [tree.tree_ for tree in rf_model_on_full_data.estimators_]


def _leaf(tree, x):
    node = 0
    while tree.children_left[node] != -1:
        left = x[tree.feature[node]] <= tree.threshold[node]
        node = tree.children_left[node] if left else tree.children_right[node]
    return float(tree.value[node][0][0])


def answer(rows):
    out = []
    for _, r in rows.iterrows():
        lot = _lot if pd.isna(r["LotArea"]) else r["LotArea"]
        x = [lot, r["YearBuilt"], r["GrLivArea"], r["FullBath"], r["GarageArea"], r["YrSold"]]
        out.append(statistics.fmean(_leaf(tree, x) for tree in _trees))
    return out


rows = _train.sample(7, random_state=96).drop(columns="SalePrice").assign(Id=lambda d: d["Id"] + 1000, GrLivArea=lambda d: d["GrLivArea"] + 41)
rows.iloc[0, rows.columns.get_loc("LotArea")] = math.nan
rows.iloc[1, rows.columns.get_loc("GarageArea")] = 0.0
rows.iloc[2, rows.columns.get_loc("YearBuilt")] = 2010
