"""Proof that history was not altered: checkpoints, verification, and proofs for others."""
