"""Writes the small tables of the corpus anew: `python make_data.py`; each has a seed of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).parent / "data"


def churn(rng: np.random.Generator, n: int = 260) -> pd.DataFrame:
    """Customers of a telephone company; new ones have a blank in TotalCharges."""
    tenure = rng.integers(0, 72, n)
    monthly = rng.uniform(18, 119, n).round(2)
    contract = rng.choice(["Month-to-month", "One year", "Two year"], n, p=[0.55, 0.25, 0.2])
    internet = rng.choice(["DSL", "Fiber optic", "No"], n)
    total = [" " if t == 0 else f"{t * m * f:.2f}" for t, m, f in zip(tenure, monthly, rng.uniform(0.9, 1.1, n))]
    z = 0.8 - 0.05 * tenure + 0.02 * monthly - 1.2 * (contract == "Two year") + 0.5 * (internet == "Fiber optic")
    left = rng.random(n) < 1 / (1 + np.exp(-z))
    return pd.DataFrame(
        {
            "customerID": [f"{7000 + i}-{'ABCDEFGH'[i % 8]}X" for i in range(n)],
            "gender": rng.choice(["Female", "Male"], n),
            "SeniorCitizen": (rng.random(n) < 0.17).astype(int),
            "Partner": rng.choice(["Yes", "No"], n),
            "tenure": tenure,
            "InternetService": internet,
            "Contract": contract,
            "PaymentMethod": rng.choice(["Electronic check", "Mailed check", "Bank transfer", "Credit card"], n),
            "MonthlyCharges": monthly,
            "TotalCharges": total,
            "Churn": np.where(left, "Yes", "No"),
        }
    )


def houses(rng: np.random.Generator, n: int = 220, first_id: int = 1) -> pd.DataFrame:
    """Houses that were sold, some of them without a garage or a measured lot."""
    area = rng.normal(1500, 420, n).clip(480, 3600).round().astype(int)
    built = rng.integers(1905, 2011, n)
    hood = rng.choice(["NAmes", "CollgCr", "OldTown", "Edwards", "Somerst"], n)
    quality = rng.choice(["Fa", "TA", "Gd", "Ex"], n, p=[0.1, 0.45, 0.35, 0.1])
    baths = rng.integers(1, 4, n)
    garage = rng.choice([0, 240, 400, 520, 676], n).astype(float)
    lot = rng.normal(9500, 2800, n).clip(1500, 30000).round()
    worth = pd.Series(hood).map({"NAmes": 0, "CollgCr": 0.12, "OldTown": -0.1, "Edwards": -0.06, "Somerst": 0.18})
    grade = pd.Series(quality).map({"Fa": -0.2, "TA": 0, "Gd": 0.15, "Ex": 0.4})
    log_price = 10.6 + 0.0004 * area + 0.004 * (built - 1950) + worth + grade + 0.0002 * garage + 0.05 * baths
    price = np.exp(log_price + rng.normal(0, 0.09, n))
    lot[rng.random(n) < 0.12] = np.nan
    garage_type = np.where(garage > 0, rng.choice(["Attchd", "Detchd"], n), "none").astype(object)
    garage_type[garage_type == "none"] = None
    return pd.DataFrame(
        {
            "Id": np.arange(first_id, first_id + n),
            "Neighborhood": hood,
            "LotArea": lot,
            "YearBuilt": built,
            "ExterQual": quality,
            "GrLivArea": area,
            "FullBath": baths,
            "GarageType": garage_type,
            "GarageArea": garage,
            "YrSold": rng.integers(2006, 2011, n),
            "SalePrice": (price / 100).round().astype(int) * 100,
        }
    )


def titanic(rng: np.random.Generator, n: int = 240, first_id: int = 1) -> pd.DataFrame:
    """Passengers that never sailed: the columns of the well-known table, people of our own."""
    sex = rng.choice(["male", "female"], n, p=[0.62, 0.38])
    pclass = rng.choice([1, 2, 3], n, p=[0.25, 0.2, 0.55])
    age = rng.normal(30, 13, n).clip(1, 76).round()
    title = np.where(sex == "male", np.where(age < 14, "Master", "Mr"), rng.choice(["Mrs", "Miss"], n)).astype(object)
    rare = rng.random(n) < 0.05
    title[rare] = np.where(sex[rare] == "male", "Dr", "Countess")
    last = rng.choice(["Brand", "Hale", "Ostrom", "Pell", "Quist", "Rudd", "Sandoval", "Tew"], n)
    first = rng.choice(["Ada", "Bo", "Cleo", "Dan", "Eli", "Fay"], n)
    sibsp = rng.choice([0, 1, 2, 4], n, p=[0.65, 0.25, 0.07, 0.03])
    parch = rng.choice([0, 1, 2], n, p=[0.75, 0.15, 0.1])
    fare = (rng.gamma(2.0, 6.0, n) * (5 - pclass) / 1.5 + 4).round(4)
    z = 1.6 * (sex == "female") - 0.7 * (pclass - 2) - 0.02 * (age - 30) - 0.25 * sibsp - 0.5
    survived = (rng.random(n) < 1 / (1 + np.exp(-1.5 * z))).astype(int)
    age[rng.random(n) < 0.2] = np.nan
    cabin = np.where(rng.random(n) < 0.25, [f"{'ABCDE'[i % 5]}{10 + i % 70}" for i in range(n)], None)
    embarked = rng.choice(["S", "C", "Q"], n, p=[0.7, 0.2, 0.1]).astype(object)
    embarked[rng.random(n) < 0.02] = None
    return pd.DataFrame(
        {
            "PassengerId": np.arange(first_id, first_id + n),
            "Survived": survived,
            "Pclass": pclass,
            "Name": [f"{b}, {t}. {a}" for a, b, t in zip(first, last, title)],
            "Sex": sex,
            "Age": age,
            "SibSp": sibsp,
            "Parch": parch,
            "Fare": fare,
            "Cabin": cabin,
            "Embarked": embarked,
        }
    )


def loans(rng: np.random.Generator, n: int = 280) -> pd.DataFrame:
    """Loan applications with holes in most columns."""
    income = rng.lognormal(8.4, 0.5, n).round().astype(int)
    co = np.where(rng.random(n) < 0.45, 0, rng.lognormal(7.5, 0.4, n).round())
    amount = ((income + co) * rng.uniform(0.015, 0.035, n)).round()
    history = (rng.random(n) < 0.82).astype(float)
    area = rng.choice(["Urban", "Semiurban", "Rural"], n)
    z = -2.2 + 3.4 * history + 0.7 * (area == "Semiurban") - 0.003 * (amount - 140) + 0.00005 * income
    status = np.where(rng.random(n) < 1 / (1 + np.exp(-z)), "Y", "N")
    frame = pd.DataFrame(
        {
            "Loan_ID": [f"LP{1000 + i:06d}" for i in range(n)],
            "Gender": rng.choice(["Male", "Female"], n, p=[0.75, 0.25]),
            "Married": rng.choice(["Yes", "No"], n, p=[0.65, 0.35]),
            "Dependents": rng.choice(["0", "1", "2", "3+"], n, p=[0.55, 0.18, 0.17, 0.1]),
            "Education": rng.choice(["Graduate", "Not Graduate"], n, p=[0.78, 0.22]),
            "Self_Employed": rng.choice(["Yes", "No"], n, p=[0.15, 0.85]),
            "ApplicantIncome": income,
            "CoapplicantIncome": co,
            "LoanAmount": amount,
            "Loan_Amount_Term": rng.choice([360.0, 180.0, 120.0], n, p=[0.8, 0.13, 0.07]),
            "Credit_History": history,
            "Property_Area": area,
            "Loan_Status": status,
        }
    )
    for column, share in [("Gender", 0.03), ("Dependents", 0.04), ("LoanAmount", 0.05), ("Credit_History", 0.08)]:
        frame.loc[rng.random(n) < share, column] = None
    return frame


def cars(rng: np.random.Generator, n: int = 210) -> pd.DataFrame:
    """Cars of the seventies; horsepower has question marks."""
    cylinders = rng.choice([4, 6, 8], n, p=[0.5, 0.22, 0.28])
    displacement = (cylinders * rng.normal(33, 5, n)).round(1)
    power = (displacement * 0.45 + rng.normal(25, 9, n)).round().astype(int)
    weight = (displacement * 7 + rng.normal(1500, 180, n)).round().astype(int)
    year = rng.integers(70, 83, n)
    origin = rng.choice([1, 2, 3], n, p=[0.6, 0.18, 0.22])
    mpg = (48 - 0.0062 * weight - 0.03 * power + 0.45 * (year - 76) + 1.2 * (origin == 3) + rng.normal(0, 1.6, n)).round(1)
    shown = [("?" if rng.random() < 0.03 else str(p)) for p in power]
    maker = rng.choice(["ford", "chevrolet", "toyota", "volkswagen", "datsun", "amc"], n)
    return pd.DataFrame(
        {
            "mpg": mpg.clip(8, 50),
            "cylinders": cylinders,
            "displacement": displacement,
            "horsepower": shown,
            "weight": weight,
            "acceleration": rng.normal(15.5, 2.4, n).round(1),
            "model year": year,
            "origin": origin,
            "car name": [f"{m} {k}" for m, k in zip(maker, rng.choice(["dl", "custom", "wagon", "gt"], n))],
        }
    )


def taxi(rng: np.random.Generator, n: int = 300) -> pd.DataFrame:
    """Rides in a city, a few of them impossible."""
    start = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 150 * 24 * 60, n), unit="min")
    lat, lon = rng.normal(40.75, 0.03, n), rng.normal(-73.98, 0.03, n)
    lat2, lon2 = lat + rng.normal(0, 0.03, n), lon + rng.normal(0, 0.03, n)
    km = 111 * np.hypot(lat2 - lat, 0.76 * (lon2 - lon))
    rush = np.isin(start.hour, [7, 8, 16, 17, 18])
    fare = (2.5 + 1.75 * km + 1.5 * rush + rng.normal(0, 0.8, n)).clip(2.5).round(2)
    fare[rng.choice(n, 4, replace=False)] = [-3.0, 0.0, 240.0, -2.5]
    return pd.DataFrame(
        {
            "key": [f"r{i:05d}" for i in range(n)],
            "fare_amount": fare,
            "pickup_datetime": start.strftime("%Y-%m-%d %H:%M:%S"),
            "pickup_longitude": lon.round(6),
            "pickup_latitude": lat.round(6),
            "dropoff_longitude": lon2.round(6),
            "dropoff_latitude": lat2.round(6),
            "passenger_count": rng.integers(1, 7, n),
        }
    )


def _text(rng: np.random.Generator, words: list[str], filler: list[str], length: int) -> str:
    chosen = [rng.choice(words) if rng.random() < 0.4 else rng.choice(filler) for _ in range(length)]
    return " ".join(str(word) for word in chosen)


def reviews(rng: np.random.Generator, n: int = 180) -> pd.DataFrame:
    """Opinions on films, with capitals, dots and leftovers of HTML."""
    good = ["great", "Wonderful", "moving", "funny", "loved", "brilliant!", "superb", "charming"]
    bad = ["boring", "Awful", "dull", "waste", "hated", "worst...", "predictable", "slow"]
    filler = ["the", "film", "plot", "was", "and", "acting", "a", "story", "with", "scenes", "music", "<br />", "I", "2"]
    stars = rng.choice([1, 2, 4, 5], n)
    texts = [_text(rng, good if s > 3 else bad, filler, int(rng.integers(8, 22))) for s in stars]
    return pd.DataFrame({"id": np.arange(n), "review": texts, "stars": stars, "sentiment": np.where(stars > 3, "positive", "negative")})


def sms(rng: np.random.Generator, n: int = 200) -> pd.DataFrame:
    """Short messages; v1 says what they are, v2 what they say."""
    spam = ["WIN", "free", "prize", "claim", "txt", "cash", "URGENT!", "call 0900", "£100"]
    ham = ["lunch", "see you", "home", "tomorrow", "ok", "love", "meeting", "sorry", "lol"]
    filler = ["now", "to", "the", "you", "your", "a", "in", "for", "at", "u"]
    kind = np.where(rng.random(n) < 0.3, "spam", "ham")
    return pd.DataFrame(
        {"v1": kind, "v2": [_text(rng, spam if k == "spam" else ham, filler, int(rng.integers(5, 16))) for k in kind]}
    )


def mall(rng: np.random.Generator, n: int = 150) -> pd.DataFrame:
    """Visitors of a mall in five groups."""
    group = rng.integers(0, 5, n)
    income = np.array([25, 26, 55, 87, 88])[group] + rng.normal(0, 6, n)
    spend = np.array([20, 79, 50, 17, 82])[group] + rng.normal(0, 6, n)
    return pd.DataFrame(
        {
            "CustomerID": np.arange(1, n + 1),
            "Gender": rng.choice(["Male", "Female"], n),
            "Age": rng.integers(18, 71, n),
            "Annual Income (k$)": income.round().astype(int),
            "Spending Score (1-100)": spend.round().clip(1, 100).astype(int),
        }
    )


def students(rng: np.random.Generator, n: int = 200) -> pd.DataFrame:
    """Pupils of eight schools and what they scored."""
    school = rng.choice(list("ABCDEFGH"), n)
    hours = rng.gamma(3, 2, n).round(1)
    sleep = rng.normal(7, 1, n).round(1)
    edu = rng.choice(["none", "secondary", "bachelor", "master"], n)
    effect = pd.Series(school).map({s: 3.0 * i for i, s in enumerate("DAHCFBGE")})
    score = 35 + 2.4 * hours + 1.5 * (sleep - 7) + effect + 4 * (edu == "master") + rng.normal(0, 4, n)
    attendance = rng.uniform(55, 100, n).round(1)
    attendance[rng.random(n) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "student": [f"s{i:03d}" for i in range(n)],
            "school": school,
            "parent_edu": edu,
            "hours": hours,
            "sleep": sleep,
            "attendance": attendance,
            "score": score.clip(0, 100).round(1),
        }
    )


def heart(rng: np.random.Generator, n: int = 240) -> pd.DataFrame:
    """Patients, with semicolons between the columns."""
    age = rng.integers(29, 78, n)
    sex = rng.integers(0, 2, n)
    pain = rng.choice(["typical", "atypical", "non-anginal", "asymptomatic"], n)
    pressure = rng.normal(131, 17, n).round().astype(int)
    chol = rng.normal(246, 50, n).round().clip(120, 420)
    rate = (220 - age - rng.normal(18, 14, n)).round().astype(int)
    peak = rng.gamma(1.2, 0.9, n).round(1)
    z = -1 + 0.04 * (age - 54) + 0.9 * sex + 1.3 * (pain == "asymptomatic") + 0.6 * peak - 0.02 * (rate - 150)
    chol[rng.random(n) < 0.06] = np.nan
    disease = (rng.random(n) < 1 / (1 + np.exp(-1.3 * z))).astype(int)
    return pd.DataFrame(
        {"age": age, "sex": sex, "cp": pain, "trestbps": pressure, "chol": chol, "thalach": rate, "oldpeak": peak, "target": disease}
    )


def bank(rng: np.random.Generator, n: int = 150) -> pd.DataFrame:
    """Four measures of a bank note and whether it is real; without names."""
    real = rng.integers(0, 2, n)
    measures = rng.normal(0, 1, (n, 4)) * [2.8, 5.0, 4.0, 2.0] + np.outer(real - 0.5, [3.4, 4.0, -1.0, 0.2])
    return pd.DataFrame(np.column_stack([measures.round(4), real]), columns=["variance", "skewness", "curtosis", "entropy", "class"]).astype(
        {"class": int}
    )


def salary(rng: np.random.Generator, n: int = 30) -> pd.DataFrame:
    """Years and pay."""
    years = np.sort(rng.uniform(1, 11, n)).round(1)
    return pd.DataFrame({"YearsExperience": years, "Salary": (26000 + 9400 * years + rng.normal(0, 5000, n)).round()})


def positions(rng: np.random.Generator) -> pd.DataFrame:
    """Ten ranks of a company and their pay."""
    names = "Analyst,Junior,Senior,Manager,Country,Region,Partner,Senior Partner,C-level,CEO".split(",")
    pay = [45, 50, 60, 80, 110, 150, 200, 300, 500, 1000]
    return pd.DataFrame({"Position": names, "Level": range(1, 11), "Salary": [p * 1000 for p in pay]})


def sales(rng: np.random.Generator, n: int = 200) -> pd.DataFrame:
    """A shop's days, one after another."""
    day = pd.date_range("2023-01-01", periods=n, freq="D")
    promo = (rng.random(n) < 0.2).astype(int)
    units = 60 + 12 * np.sin(np.arange(n) * 2 * np.pi / 7) + 18 * promo + np.cumsum(rng.normal(0, 1.2, n))
    return pd.DataFrame(
        {"date": day.strftime("%Y-%m-%d"), "promo": promo, "price": rng.uniform(9, 12, n).round(2), "units": units.round().astype(int)}
    )


def orders(rng: np.random.Generator, n: int = 160) -> pd.DataFrame:
    """What was bought, where, and how much of it."""
    return pd.DataFrame(
        {
            "order_id": np.arange(5000, 5000 + n),
            "product": rng.choice(["p1", "p2", "p3", "p4"], n),
            "city": rng.choice(["Basel", "Bern ", "bern", "Zug"], n),
            "qty": rng.integers(1, 9, n),
            "ordered": (pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 60, n), unit="D")).strftime("%d.%m.%Y"),
        }
    )


def main() -> None:
    """Write every table."""
    makers: dict[str, Callable[[np.random.Generator], pd.DataFrame]] = {
        "churn.csv": churn,
        "houses.csv": houses,
        "house_prices/train.csv": lambda rng: houses(rng, 180),
        "house_prices/test.csv": lambda rng: houses(rng, 50, 181).drop(columns="SalePrice"),
        "titanic.csv": titanic,
        "titanic/train.csv": lambda rng: titanic(rng, 200),
        "titanic/test.csv": lambda rng: titanic(rng, 60, 201).drop(columns="Survived"),
        "loans.csv": loans,
        "cars.csv": cars,
        "taxi.csv": taxi,
        "reviews.csv": reviews,
        "sms.csv": sms,
        "mall.csv": mall,
        "students.csv": students,
        "heart.csv": heart,
        "bank.csv": bank,
        "salary.csv": salary,
        "positions.csv": positions,
        "sales.csv": sales,
        "orders.csv": orders,
    }
    for seed, (name, make) in enumerate(makers.items(), start=100):
        path = DATA / name
        path.parent.mkdir(parents=True, exist_ok=True)
        separator = ";" if name == "heart.csv" else ","
        encoding = "latin-1" if name == "sms.csv" else "utf-8"
        table = make(np.random.default_rng(seed))
        table.to_csv(path, index=False, sep=separator, encoding=encoding, lineterminator="\n")
    products = pd.DataFrame({"product": ["p1", "p2", "p3"], "name": ["lamp", "chair", "desk"], "unit_price": [19.9, 49.0, 129.0]})
    products.to_csv(DATA / "products.csv", index=False, lineterminator="\n")
    regions = pd.DataFrame(
        {
            "Neighborhood": ["NAmes", "CollgCr", "OldTown", "Edwards", "Somerst"],
            "schools": [4, 6, 3, 3, 7],
            "km_center": [4.2, 7.5, 1.1, 3.0, 6.4],
        }
    )
    regions.to_csv(DATA / "neighborhoods.csv", index=False, lineterminator="\n")
    (DATA / "threshold.txt").write_text("0.62\n", encoding="utf-8")


if __name__ == "__main__":
    main()
