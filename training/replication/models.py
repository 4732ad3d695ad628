"""The networks of the student's project, at their exact sizes: four autoencoders, and the network that was planned.

The autoencoders follow "Building Autoencoders in Keras" (F. Chollet, 2016), widened from 28×28 digits to pictures of
47×51 dots: one dense layer and back, the same with an L1 penalty on its activity, four dense layers and back, and
convolutions. The last could not be trained as it stood, for what came out of it was not the size of what went in;
`repaired` gives it the right size with the same parameters. The planned network is Karpathy's char-rnn (2015) with
a picture of dots in place of a letter.

A picture is float32 (N, 1, 51, 47), a dot 0 or 1. All networks give logits of that shape.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

HEIGHT, WIDTH = 51, 47
PIXELS = HEIGHT * WIDTH

# The hidden layers up to the code, whose size is the last; the way back mirrors them.
DENSE = {32: (32,), 128: (128,), 512: (512,)}  # version 1 and its modifications
SPARSE = (64,)  # version 2: 309,277 parameters
DEEP = (512, 128, 64, 32)  # version 3: 2,609,917
SPARSITY = 1e-4  # weight of the activity of version 2: what the article writes as 10e-5


def shrink(mask: Tensor) -> Tensor:
    """Masks (N, 1, H, W) 0..1 -> (N, 1, 51, 47), averaged."""
    return F.interpolate(mask, (HEIGHT, WIDTH), mode="bilinear", antialias=True)


def dots(field: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Signed fields (N, 1, H, W) -> pictures (N, 1, 51, 47), 1 where a dot is covered by at least half."""
    return (shrink(torch.from_numpy((field < 0).astype(np.float32))) >= 0.5).numpy().astype(np.uint8)


def as_keras_begins(network: nn.Module) -> None:
    """First weights as Keras draws them, uniform after Glorot and Bengio (2010), and no biases."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)


class Dense(nn.Module):
    """Versions 1, 2 and 3: dense layers with ReLU down to the code, and back."""

    def __init__(self, hidden: Sequence[int] = DENSE[128]) -> None:
        super().__init__()
        down = [layer for a, b in pairwise((PIXELS, *hidden)) for layer in (nn.Linear(a, b), nn.ReLU())]
        up = [layer for a, b in pairwise((*reversed(hidden), PIXELS)) for layer in (nn.Linear(a, b), nn.ReLU())]
        self.encoder = nn.Sequential(nn.Flatten(), *down)
        self.decoder = nn.Sequential(*up[:-1])
        as_keras_begins(self)

    def encode(self, picture: Tensor) -> Tensor:
        """(N, 1, 51, 47) -> codes (N, D), none of them negative."""
        return self.encoder(picture)

    def decode(self, code: Tensor) -> Tensor:
        """(N, D) -> logits (N, 1, 51, 47)."""
        return self.decoder(code).unflatten(1, (1, HEIGHT, WIDTH))

    def forward(self, picture: Tensor) -> Tensor:
        return self.decode(self.encode(picture))


class Convolutional(nn.Module):
    """Version 4: convolutions of 16, 8 and 8 channels, halving the picture after each, and back.

    As it was written, 28 dots are halved to 14, 7 and 4, doubled to 8 and 16, cut to 14 by a convolution without a
    border, and doubled to 28. That border was left away to make good one rounding, 7 to 4. 51 dots and 47 round
    elsewhere: they come out as 52 and 44. Repaired, each picture on the way up is cut to the size that it had on the
    way down, and every convolution keeps its border.
    """

    def __init__(self, repaired: bool = True) -> None:
        super().__init__()
        self.repaired = repaired
        self.down = nn.ModuleList([nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise((1, 16, 8, 8))])
        self.up = nn.ModuleList(
            [nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=int(repaired))]
        )
        self.last = nn.Conv2d(16, 1, 3, padding=1)
        as_keras_begins(self)

    def encode(self, picture: Tensor) -> Tensor:
        """(N, 1, H, W) -> codes (N, 8, H/8, W/8), rounded up."""
        for layer in self.down:
            # Keras fills the picture up where a half dot would be left, and so does `ceil_mode`.
            picture = F.max_pool2d(F.relu(layer(picture)), 2, ceil_mode=True)
        return picture

    def decode(self, code: Tensor, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
        """(N, 8, H/8, W/8), rounded up -> logits (N, 1, H, W), or nearly so where it is not repaired."""
        sizes = [(height, width)]
        for _ in self.down[1:]:
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        for layer in self.up:
            code = F.interpolate(F.relu(layer(code)), scale_factor=2.0, mode="nearest")
            rows, columns = sizes.pop()
            if self.repaired:
                code = code[..., :rows, :columns]
        return self.last(code)

    def forward(self, picture: Tensor) -> Tensor:
        return self.decode(self.encode(picture), *picture.shape[-2:])


class FrameRnn(nn.Module):
    """The planned network: what char-rnn does with letters, with pictures of dots.

    It reads one picture a step and says of every dot of the next one how likely it is set. To dance, a picture is drawn
    from that and read again. `usual` (51, 47): how often each dot is set in the data, from where it begins.
    """

    def __init__(self, embedding: int = 256, hidden: int = 256, usual: NDArray[np.floating] | None = None) -> None:
        super().__init__()
        self.look = nn.Linear(PIXELS, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.draw = nn.Linear(hidden, PIXELS)
        # A picture has about two hundred dots. With weights as small as is usual for 2,397 inputs the cells heard
        # next to nothing of them, and 300 steps taught no more than the mean picture.
        nn.init.normal_(self.look.weight, std=0.07)
        nn.init.zeros_(self.look.bias)
        of_input, of_state, bias = (self.lstm.get_parameter(f"{n}_l0") for n in ("weight_ih", "weight_hh", "bias_ih"))
        nn.init.xavier_uniform_(of_input)
        nn.init.orthogonal_(of_state)
        nn.init.xavier_uniform_(self.draw.weight)
        with torch.no_grad():
            bias[hidden : 2 * hidden] = 1  # it begins by remembering (Jozefowicz et al., 2015)
            if usual is not None:
                often = np.clip(usual.reshape(-1), 1e-3, 1 - 1e-3)
                self.draw.bias.copy_(torch.from_numpy(np.log(often / (1 - often))))

    def forward(
        self, pictures: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Pictures (N, T, 51, 47) -> logits of the next ones, the same shape, and the state after them."""
        hidden, after = self.lstm(F.silu(self.look(pictures.flatten(2))), state)
        return self.draw(hidden).unflatten(2, (HEIGHT, WIDTH)), after

    def loss(self, films: Tensor) -> dict[str, Tensor]:
        """Films (N, T, 51, 47): how badly each picture foretells the next, a dot."""
        return {"total": F.binary_cross_entropy_with_logits(self(films[:, :-1])[0], films[:, 1:])}

    @torch.no_grad()
    def dream(self, start: Tensor, steps: int, seed: int, temperature: float = 1.0, agree: float = 0.0) -> NDArray:
        """Dance on after real pictures (N, T, 51, 47) -> uint8 (N, steps, 51, 47).

        Logits are divided by `temperature`; at 0 what is likelier is taken. Each dot is drawn for itself, or, with
        `agree`, together with the dots within about that distance: see `chances`.
        """
        generator = torch.Generator().manual_seed(seed)
        logits, state = self(start)
        out = []
        for _ in range(steps):
            last = logits[:, -1:]
            if temperature > 0:
                picture = (chances(len(start), agree, generator) < torch.sigmoid(last / temperature)).float()
            else:
                picture = (last > 0).float()
            out.append(picture[:, 0])
            logits, state = self(picture, state)
        return torch.stack(out, dim=1).numpy().astype(np.uint8)


def chances(count: int, agree: float, generator: torch.Generator) -> Tensor:
    """Random numbers (count, 1, 51, 47), each alone even between 0 and 1.

    With `agree`, neighbours within about that many dots have similar values: a Gaussian copula, white noise smoothed by
    a Gaussian of that width and put through the normal distribution. A hand is then drawn or left out as a whole, while
    dots drawn apart make dust of it, and each dot is still set as often as the network says.
    """
    edge = math.ceil(3 * agree)
    noise = torch.randn((count, 1, HEIGHT + 2 * edge, WIDTH + 2 * edge), generator=generator)
    if agree > 0:
        kernel = torch.exp(-0.5 * (torch.arange(-edge, edge + 1) / agree) ** 2)
        kernel = kernel / kernel.square().sum().sqrt()  # the smoothed noise has a variance of 1 again
        noise = F.conv2d(F.conv2d(noise, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
    return torch.special.ndtr(noise)
