"""Race torch modules of your own: residual networks of three widths on real Geant4 photons.

    python examples/torch_modules.py

The network is `surefoot.ResNet`; at width 64 it is the paper's preliminary model
of 11 million parameters, which takes hours. This race takes a few minutes. Yours can be any class
derived from ``torch.nn.Module``, or any function annotated to return one, that can be imported by
name: put it into a module of its own.
"""

from __future__ import annotations

import torch

import surefoot


def main() -> None:
    """Select among 6 candidates by the mean of their losses and print the certificate."""
    build = surefoot.ModuleCandidate.builder(
        surefoot.ResNet,
        blocks=(1, 1, 1),
        input_shape=(1, 15, 15),
        initialization="he",
        optimizer=torch.optim.AdamW,
        decay=0.01,
        schedule=torch.optim.lr_scheduler.StepLR,
        schedule_parameters={"step_size": 4, "gamma": 0.3},
    )
    space = surefoot.SearchSpace.product(build, width=[2, 4, 8], learning_rate=[3e-3, 1e-2])
    for candidate in space:
        print(f"{candidate.number_of_parameters:7,} parameters  {candidate.label}")
    selection = surefoot.select(
        space,
        surefoot.load_population("photons:A"),
        loss="relative_rmse",
        sampling=surefoot.Sampling(1_000, test_size=1_000),
        stopping=surefoot.Stopping(max_epochs=8, reading="none"),
        seed=1,
        certify=20,
        content=0.85,
    )
    print(selection)


if __name__ == "__main__":
    main()
