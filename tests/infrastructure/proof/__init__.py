"""Proof that history was not altered."""
