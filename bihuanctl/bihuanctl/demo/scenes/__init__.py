"""Scenes of the demo: after the play, one short real story for each other part of the platform.

A scene is a module here with `async def play(stage: Stage) -> None`, its name in SCENES, and a YAML file of the same
name beside it with its `title` and every line it tells, in each language. It calls the gateway as its users do, moves
the clock where days must pass, tells what it has shown, and raises Refused or SceneFailed when the platform did not do
it. It leaves nothing behind that would hinder the next scene or the next demo: every run needs people and things of
its own.
"""

from typing import Final

from bihuanctl.demo.scenes import appointment, archive, certificate, complaints, hotline, indicators, outage, partner

# In the order in which they are played.
SCENES: Final = {
    "certificate": certificate.play,
    "complaints": complaints.play,
    "appointment": appointment.play,
    "archive": archive.play,
    "hotline": hotline.play,
    "partner": partner.play,
    "outage": outage.play,
    "indicators": indicators.play,
}
