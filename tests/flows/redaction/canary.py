"""A secret that no redacted value may hold, and the pattern of a mask."""

CANARY = "c4n4ry"
MASK = r"masked-[0-9a-f]{6}"
