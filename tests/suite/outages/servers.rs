//! Servers that cannot be reached, or do not answer.
