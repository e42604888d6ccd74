//! Files in: discovery, text, positions.
