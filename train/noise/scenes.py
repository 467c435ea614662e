# SPDX-License-Identifier: Apache-2.0
"""The list of the training scenes: name -> the function that builds it; README.md has a line on each."""
import scenes_open
import scenes_rooms
import scenes_things

SCENES = {**scenes_rooms.SCENES, **scenes_things.SCENES, **scenes_open.SCENES}
