"""Whisper's log-mel spectrogram in pieces: the same figures, without the memory of a whole Fourier transform.

`whisper.log_mel_spectrogram` transforms a chunk at once: 250 MB for ten minutes, measured, beside a result of 19 MB.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import pad
from whisper.audio import HOP_LENGTH, N_FFT, mel_filters

PIECE_FRAMES = 3000  # 30 s; its transform takes 5 MB


def log_mel_spectrogram(audio: Any, n_mels: int = 80, padding: int = 0, device: Any = None) -> torch.Tensor:
    """`whisper.log_mel_spectrogram` for an array of samples.

    Args:
        audio: mono samples at 16 kHz in -1..1. shape (n_samples,), float32
        n_mels: 80, or 128 for large-v3
        padding: zero samples to add at the end
    Returns: shape (n_mels, (n_samples + padding) // HOP_LENGTH). Source of the steps: whisper/audio.py.
    """
    samples = torch.as_tensor(audio)
    filters = mel_filters(samples.device, n_mels)
    window = torch.hann_window(N_FFT)
    samples = pad(samples, (0, padding))
    frames = len(samples) // HOP_LENGTH
    # torch.stft with center=True reflects half a window at both ends, so that frame i is centred on sample i * hop
    samples = pad(samples[None], (N_FFT // 2, N_FFT // 2), mode="reflect")[0]
    spectrum = torch.empty(n_mels, frames)
    for first in range(0, frames, PIECE_FRAMES):
        last = min(first + PIECE_FRAMES, frames)
        piece = samples[first * HOP_LENGTH : (last - 1) * HOP_LENGTH + N_FFT]
        transform = torch.stft(piece, N_FFT, HOP_LENGTH, window=window, center=False, return_complex=True)
        spectrum[:, first:last] = filters @ transform.abs().square_()
    spectrum.clamp_(min=1e-10).log10_()
    torch.maximum(spectrum, spectrum.max() - 8.0, out=spectrum)
    return spectrum.add_(4.0).div_(4.0)
