"""The calorimeter: where photons come from, and what classical methods make of them."""
