"""What all parts of the public JSON share: the model they are, and their unit of time."""

from pydantic import BaseModel, ConfigDict


Seconds = float


class Reply(BaseModel):
    """A part of the answer; members may be added, so readers pass over unknown ones."""

    model_config = ConfigDict(frozen=True)


def seconds(milliseconds: float) -> Seconds:
    """Seconds, to the millisecond."""
    return round(milliseconds / 1000, 3)
