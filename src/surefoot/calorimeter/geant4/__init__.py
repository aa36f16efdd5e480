"""geant4."""
