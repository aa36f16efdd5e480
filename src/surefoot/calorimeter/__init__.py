"""The calorimeter: simulate photons in it, read them, reconstruct them, compare methods.

The first application of surefoot. The core never imports it; its populations and candidates are
registered by name (``photons:A``, ``scaled_sum``, ``barycentre``, ``xgboost_photons``).
"""
