"""The seven optimisers of the paper (§3.5): names, formulas and constants shared by all engines.

With g the gradient of the mean training loss over a batch, θ the parameters, η the learning rate,
λ the decay and t = 1, 2, … the step; constants and conventions are those of ``torch.optim``.
Every optimiser but AdamW adds L2 regularisation to the gradient, g ← g + λθ; AdamW decays the
weights instead, θ ← (1 − ηλ)θ (Loshchilov and Hutter 2019).

========  ==========================================================================================
sgd       θ ← θ − η g
adam      m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;
          θ ← θ − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)                         (Kingma and Ba 2015)
adamw     as adam, with decoupled decay
adagrad   s ← s + g²;  θ ← θ − η g/(√s + ε), ε = 1e-10                     (Duchi et al. 2011)
rmsprop   v ← αv + (1−α)g²;  θ ← θ − η g/(√v + ε), α = 0.99                 (Hinton 2012)
adadelta  v ← ρv + (1−ρ)g²;  d = √(u + ε)/√(v + ε) · g;  u ← ρu + (1−ρ)d²;
          θ ← θ − η d, ρ = 0.9, ε = 1e-6                                        (Zeiler 2012)
nadam     μₜ = β₁(1 − ½·0.96^(0.004 t)), Πₜ = μ₁…μₜ;  m, v as adam;
          θ ← θ − η(1−μₜ)/(1−Πₜ) · g/d − η μₜ₊₁/(1−Πₜ₊₁) · m/d,
          d = √(v/(1−β₂ᵗ)) + ε                                                  (Dozat 2016)
========  ==========================================================================================

β₁ = 0.9, β₂ = 0.999, ε = 1e-8 unless stated. All parameters, biases and slopes included, are
decayed alike, as ``torch.optim`` does by default.
"""

from __future__ import annotations

from typing import Literal, get_args

OptimizerName = Literal["sgd", "adam", "adamw", "adagrad", "rmsprop", "adadelta", "nadam"]
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)
"""Compiled engines know each by its place."""

BETA1 = 0.9
BETA2 = 0.999
EPSILON = 1e-8
ADAGRAD_EPSILON = 1e-10
RMSPROP_ALPHA = 0.99
ADADELTA_RHO = 0.9
ADADELTA_EPSILON = 1e-6
NADAM_MOMENTUM_DECAY = 4e-3


def state_vectors(name: OptimizerName) -> int:
    """Return how many vectors of the parameters' length an optimiser keeps between steps."""
    return {"sgd": 0, "adagrad": 1, "rmsprop": 1}.get(name, 2)
