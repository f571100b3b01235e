"""The way users start Lux9: GRUB, from the ISO, on BIOS and UEFI machines."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from grade.harness import Machine, Variant
from grade.harness.build import last_stage

Start = Callable[..., Machine]
PROMPT = r"lux9> $|% $"


@pytest.fixture(scope="session")
def variant(build: Callable[..., Variant]) -> Variant:
    """The whole kernel as users build it, with its ISO."""
    return build(Variant(ktest=False), "iso")


@pytest.fixture(scope="session")
def iso(variant: Variant) -> Path:
    """The ISO."""
    return variant.iso


@pytest.mark.slow
@pytest.mark.parametrize("cpus", [1, 4])
@pytest.mark.parametrize("uefi", [False, True], ids=["bios", "uefi"])
def test_boots_to_prompt(variant: Variant, start: Start, uefi: bool, cpus: int) -> None:
    """GRUB starts the kernel from the ISO and it reaches its prompt."""
    machine = start(
        iso=variant.iso, elf=variant.kernel, uefi=uefi, cpus=cpus,
        mem="512M", terminal=True, screen=True, shift=None,
    )  # fmt: skip
    machine.expect("loaded by GRUB", limit=60)
    machine.expect(PROMPT, limit=30)


@pytest.mark.slow
def test_bios_screen(variant: Variant, start: Start) -> None:
    """On a BIOS machine the text screen shows the prompt and takes keys."""
    machine = start(iso=variant.iso, screen=True, terminal=True, shift=None)
    machine.expect(PROMPT, limit=60)
    machine.press("h", "e", "l", "p", "ret")
    machine.expect("help")
    machine.expect(PROMPT)
    machine.pause()
    assert any("help" in line for line in machine.screen_text())


@pytest.mark.slow
def test_uefi_screen(variant: Variant, start: Start) -> None:
    """On a UEFI machine the framebuffer shows text: more than one colour."""
    machine = start(
        iso=variant.iso, screen=True, uefi=True, terminal=True, shift=None, mem="512M"
    )
    machine.expect(PROMPT, limit=90)
    width, height, pixels = machine.screen_picture()
    assert width >= 640 and height >= 400
    counts: dict[bytes, int] = {}
    for at in range(0, len(pixels), 3):
        pixel = pixels[at : at + 3]
        counts[pixel] = counts.get(pixel, 0) + 1
    ink = width * height - max(counts.values())
    assert len(counts) >= 2 and 500 < ink < width * height // 2


@pytest.mark.slow
def test_power_off(variant: Variant, start: Start) -> None:
    """The command that ends a session powers the machine off."""
    machine = start(iso=variant.iso, terminal=True, shift=None)
    machine.expect(PROMPT, limit=60)
    machine.send("shutdown\n" if last_stage() >= 3 else "off\n")
    assert machine.wait().end == "power off"
