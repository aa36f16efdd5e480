"""Small convolutional networks and support vector machines on the digits images, by error rate.

    python examples/digits.py

Needs scikit-learn and, where the compiled engine refuses classification, torch:
pip install 'surefoot[sklearn,torch]'. Nothing is downloaded.
"""

from __future__ import annotations

import time

from sklearn.datasets import load_digits

import surefoot
from surefoot import (
    Conv,
    ConvNet,
    EstimatorCandidate,
    Loss,
    Pool,
    Population,
    Sampling,
    SearchSpace,
    Stopping,
)
from surefoot.racing import Halving


def networks() -> SearchSpace:
    return SearchSpace.product(
        ConvNet,
        convolutions=[(Conv(8, pool=Pool()),), (Conv(16, pool=Pool()),), (Conv(8), Conv(16))],
        hidden=[(32,)],
        learning_rate=[0.002, 0.01],
        loss=[Loss("cross_entropy")],
        input_shape=[(1, 8, 8)],
        outputs=[10],
    )


def machines() -> SearchSpace:
    scaled = ["sklearn.preprocessing.MinMaxScaler"]
    return SearchSpace.product(
        EstimatorCandidate.builder("sklearn.svm.SVC", scaled),
        C=[1.0, 10.0, 100.0],
        gamma=["scale", 0.02],
    )


def digits() -> Population:
    images, numbers = load_digits(return_X_y=True)
    return Population(images / 16.0, numbers, name="digits", target_name="digit", classes=True)


def main(certify: int = 59) -> None:
    start = time.perf_counter()
    selection = surefoot.select(
        networks() | machines(),
        digits(),
        loss="error_rate",
        sampling=Sampling(600, method="subsample", stratify=True),
        stopping=Stopping(max_epochs=20, reading="none"),
        schedule=Halving(warmup=3),
        certify=certify,
        seed=1,
    )
    print(selection)
    for row in selection.ranking():
        print(f"  {row['rank']:2}. {row['label']:70} {row['value']:.4f} ({row['instances']})")
    print(f"  {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
