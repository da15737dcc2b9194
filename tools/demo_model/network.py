"""The trained network: whisper's own layers with a small vocabulary, and its export as a whisper checkpoint.

Of whisper's 51864 tokens the demo uses about 1550. Training works with these and one row which stands for all
others (its logit gets the logarithm of their number, so the softmax is exactly that of the full table whose
unused rows are equal); `export` writes the full table.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from whisper.model import AudioEncoder, ModelDimensions, MultiHeadAttention, ResidualAttentionBlock, sinusoids

from tools.demo_model.words import (
    BLANK,
    EOT,
    N_TIMESTAMPS,
    N_VOCAB,
    NO_SPEECH,
    NO_TIMESTAMPS,
    SOT,
    SOT_PREV,
    TIMESTAMP,
    WORD_TOKENS,
    WORDS,
)

# 51864 rows x 64 x 2 bytes = 6.6 MB of the 8 MB allowed; the layers take the rest.
DIMENSIONS: Final = ModelDimensions(
    n_mels=80, n_audio_ctx=1500, n_audio_state=64, n_audio_head=4, n_audio_layer=4,
    n_vocab=N_VOCAB, n_text_ctx=448, n_text_state=64, n_text_head=4, n_text_layer=2,
)  # fmt: skip

PLAIN_TOKENS: Final[tuple[int, ...]] = (
    *(token for tokens in WORD_TOKENS.values() for token in tokens),
    BLANK, EOT, SOT, SOT_PREV, NO_SPEECH, NO_TIMESTAMPS,
)  # fmt: skip
_REDUCED: Final = {token: number for number, token in enumerate(PLAIN_TOKENS)}
FIRST_TIMESTAMP: Final = len(PLAIN_TOKENS)
UNUSED: Final = FIRST_TIMESTAMP + N_TIMESTAMPS  # the row of all other tokens
N_UNUSED: Final = N_VOCAB - UNUSED
IGNORE: Final = -100  # cross_entropy's ignore_index

# Where the heads of each encoder layer look at first, in frames of 20 ms from their own: a dilated convolution.
# Without this the network first has to discover from the sinusoids what "a little earlier" means.
HEAD_OFFSETS: Final = ((-6, -2, 2, 6), (-12, -4, 4, 12), (-24, -8, 8, 24), (-10, -3, 3, 10))
# The sinusoids (whisper's, 1 ... 1e-4 rad per frame) which a head compares: a peak some frames wide.
HEAD_WAVES: Final = (1, 2, 3, 4, 6, 8, 10, 13)
HEAD_GAIN: Final = 1.6  # gives the peak a logit of about 7 over its surroundings


def reduced(token: int) -> int:
    """whisper's token number -> row of the reduced table."""
    return FIRST_TIMESTAMP + token - TIMESTAMP if token >= TIMESTAMP else _REDUCED[token]


@torch.no_grad()
def look_around(attention: MultiHeadAttention, offsets: tuple[int, ...]) -> None:
    """Start each head of a self-attention with its attention on the frame `offset` frames away.

    Keys are the frame's own sines and cosines, queries are those of the frame wanted: a rotation by the offset.
    """
    width = attention.query.weight.shape[0]
    half, dims = width // 2, width // len(offsets)
    steps = np.exp(-np.log(10000) / (half - 1) * np.array(HEAD_WAVES))  # rad per frame, as in sinusoids()
    for weight in (attention.query.weight, attention.key.weight):
        weight *= 0.3  # a little of the random start, for what the frames contain
    for head, offset in enumerate(offsets):
        for number, (wave, step) in enumerate(zip(HEAD_WAVES, steps, strict=True)):
            sine, cosine = head * dims + 2 * number, head * dims + 2 * number + 1
            attention.key.weight[sine, wave] += HEAD_GAIN
            attention.key.weight[cosine, half + wave] += HEAD_GAIN
            turn_cos, turn_sin = float(np.cos(step * offset)), float(np.sin(step * offset))
            attention.query.weight[sine, wave] += HEAD_GAIN * turn_cos  # sin(a + b) = sin a cos b + cos a sin b
            attention.query.weight[sine, half + wave] += HEAD_GAIN * turn_sin
            attention.query.weight[cosine, half + wave] += HEAD_GAIN * turn_cos  # cos a cos b - sin a sin b
            attention.query.weight[cosine, wave] -= HEAD_GAIN * turn_sin


class DemoNetwork(nn.Module):
    """Whisper with a reduced vocabulary, and a head which names the word spoken in each encoder frame."""

    audio_positions: Tensor
    time_waves: Tensor
    text_waves: Tensor

    def __init__(self, dims: ModelDimensions = DIMENSIONS) -> None:
        super().__init__()
        self.dims = dims
        width = dims.n_text_state
        self.encoder = AudioEncoder(
            dims.n_mels, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer
        )
        self.blocks = nn.ModuleList(
            ResidualAttentionBlock(width, dims.n_text_head, cross_attention=True) for _ in range(dims.n_text_layer)
        )
        self.ln = nn.LayerNorm(width)
        self.plain = nn.Parameter(torch.randn(len(PLAIN_TOKENS), width) * 0.05)
        # Timestamps and text positions are linear maps of sinusoids plus a correction, so that one trained
        # timestamp teaches its neighbours; the maps are multiplied out at export.
        self.time_map = nn.Linear(width, width)
        self.time_rest = nn.Parameter(torch.zeros(N_TIMESTAMPS, width))
        self.position_map = nn.Linear(width, width)
        self.position_rest = nn.Parameter(torch.zeros(dims.n_text_ctx, width))
        nn.init.eye_(self.time_map.weight)
        self.time_map.weight.data *= 0.1
        nn.init.eye_(self.position_map.weight)
        self.position_map.weight.data *= 0.1
        # The unused row starts at logit -16 (opposite to the constant part of the output), below log(N_UNUSED).
        self.unused = nn.Parameter(torch.zeros(1, width))
        direction = torch.randn(width)
        direction *= 4 / direction.norm()
        self.ln.bias.data.copy_(direction)
        self.unused.data[0].copy_(-direction)
        # whisper adds sinusoids of amplitude 1 to the convolutions' output, which starts at a tenth of that: louder,
        # or the first layers learn from positions instead of sounds.
        self.encoder.conv1.weight.data *= 2
        self.encoder.conv2.weight.data *= 4
        for block, offsets in zip(self.encoder.blocks, HEAD_OFFSETS, strict=True):
            look_around(block.attn, offsets)
        self.frame_head = nn.Linear(width, len(WORDS) + 1)
        self.register_buffer("audio_positions", sinusoids(dims.n_audio_ctx, width), persistent=False)
        self.register_buffer("time_waves", sinusoids(N_TIMESTAMPS, width), persistent=False)
        self.register_buffer("text_waves", sinusoids(dims.n_text_ctx, width), persistent=False)

    def table(self) -> Tensor:
        """The reduced token embedding. shape (UNUSED + 1, width)"""
        times = self.time_map(self.time_waves) + self.time_rest
        return torch.cat([self.plain, times, self.unused])

    def positions(self) -> Tensor:
        """The decoder's positional embedding. shape (n_text_ctx, width)"""
        return self.position_map(self.text_waves) + self.position_rest

    def encode(self, mel: Tensor, offset: Tensor) -> Tensor:
        """mel (B, 80, F) at encoder positions offset (B,) -> (B, F // 2, width)"""
        x = nn.functional.gelu(self.encoder.conv1(mel))
        x = nn.functional.gelu(self.encoder.conv2(x)).transpose(1, 2)
        at = offset[:, None] + torch.arange(x.shape[1])[None]
        x = x + self.audio_positions[at]
        for block in self.encoder.blocks:
            x = block(x)
        return self.encoder.ln_post(x)

    def decode(self, tokens: Tensor, audio: Tensor, table: Tensor) -> Tensor:
        """Reduced tokens (B, T) and encoded audio -> outputs (B, T, width) before the softmax table."""
        x = table[tokens] + self.positions()[: tokens.shape[1]]
        mask = torch.empty(0)  # not None: whisper's attention then is causal; SDPA does not look at its values
        for block in self.blocks:
            x = block(x, audio, mask=mask)
        return self.ln(x)

    @staticmethod
    def logits(outputs: Tensor, table: Tensor) -> Tensor:
        """outputs (N, width) -> logits (N, UNUSED + 1); the last one is the sum over all unused tokens."""
        logits = outputs @ table.T
        return torch.cat([logits[:, :-1], logits[:, -1:] + float(np.log(N_UNUSED))], dim=1)

    @torch.no_grad()
    def checkpoint(self) -> dict[str, Any]:
        """whisper's checkpoint: dims and model_state_dict in half precision."""
        table = self.table()
        full = table[UNUSED].repeat(N_VOCAB, 1)
        full[list(PLAIN_TOKENS)] = table[:FIRST_TIMESTAMP]
        full[TIMESTAMP : TIMESTAMP + N_TIMESTAMPS] = table[FIRST_TIMESTAMP:UNUSED]
        state = {f"encoder.{k}": v for k, v in self.encoder.state_dict().items()}
        state |= {f"decoder.blocks.{k}": v for k, v in self.blocks.state_dict().items()}
        state |= {f"decoder.ln.{k}": v for k, v in self.ln.state_dict().items()}
        state["decoder.token_embedding.weight"] = full
        state["decoder.positional_embedding"] = self.positions()
        return {
            "dims": asdict(self.dims),
            "model_state_dict": {k: v.detach().clone().half().contiguous() for k, v in state.items()},
        }


def save_atomically(value: Any, path: Path) -> None:
    """torch.save to a file beside `path`, then rename: readers see the old file or the new one, never half."""
    partial = path.with_name(path.name + ".part")
    torch.save(value, partial)
    partial.replace(path)
