"""Writes preprocessing.json: what scikit-learn learns from the penguins, and some rows as it transforms them.

Run in this folder with scikit-learn (1.2.1 made the present file): python3 make_preprocessing.py
"""
import csv
import json

import numpy as np
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

NUMBERS = ["beak_length_mm", "beak_depth_mm", "flipper_length_mm", "body_mass_g"]
CATEGORIES = ["island", "sex"]
# Rows 3 and 339 have gaps.
SHOWN = [0, 3, 100, 200, 339, 343]

with open("../../data/penguins.csv", newline="") as file:
    rows = list(csv.DictReader(file))

numbers = np.array([[float(row[name]) if row[name] else np.nan for name in NUMBERS] for row in rows])
categories = np.array([[row[name] or None for name in CATEGORIES] for row in rows], dtype=object)

golden = {"sklearn": sklearn.__version__, "numbers": NUMBERS, "categories": CATEGORIES, "shown": SHOWN, "fits": []}
for fill in ["mean", "median", "most_frequent"]:
    for scale, scaler in [("standardize", StandardScaler()), ("min-max", MinMaxScaler())]:
        pipeline = make_pipeline(SimpleImputer(strategy=fill), scaler).fit(numbers)
        golden["fits"].append(
            {
                "fill": fill.replace("_", "-"),
                "scale": scale,
                "fills": pipeline[0].statistics_.tolist(),
                "rows": pipeline.transform(numbers[SHOWN]).tolist(),
            }
        )
frequent = SimpleImputer(strategy="most_frequent", missing_values=None)
encoder = make_pipeline(frequent, OneHotEncoder()).fit(categories)
golden["oneHot"] = {
    "names": encoder[1].get_feature_names_out(CATEGORIES).tolist(),
    "rows": encoder.transform(categories[SHOWN]).toarray().tolist(),
}

with open("preprocessing.json", "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
