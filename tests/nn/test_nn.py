"""Every network with every kind of object: one contract, and one test of meaning each."""

import pytest
import torch

from narrows.errors import UsageError
from narrows.nn import LSTM, NETWORKS, Conv, Dense, UNet
from narrows.nn.lstm import Steps
from narrows.nn.settings import halvings

SHAPES = [(1, 8, 8), (3, 9, 14), (200, 5, 5), (1, 17), (2, 30), (103,)]
SMALL = {
    "dense": Dense(widths=(16,)),
    "conv": Conv(channels=(4, 6)),
    "conv, map": Conv(channels=(4, 6), map=True),
    "lstm": LSTM(hidden=5, chunk=2),
    "unet": UNet(channels=(4, 6)),
}


def test_every_network_has_its_small_settings():
    assert {settings.kind for settings in SMALL.values()} == NETWORKS.keys()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", SMALL)
class TestContract:
    def pair(self, name, shape, code=3):
        torch.manual_seed(0)
        return SMALL[name].build(shape, code)

    def test_encoder_states_the_shape_it_gives(self, name, shape):
        encoder, _ = self.pair(name, shape)
        h, _ = encoder(torch.randn(2, *shape))
        assert h.shape == (2, *encoder.grid, encoder.features)

    def test_decoder_alone_gives_objects(self, name, shape):
        encoder, decoder = self.pair(name, shape)
        assert decoder(torch.randn(2, *encoder.grid, 3)).shape == (2, *shape)

    def test_gradient_reaches_every_parameter(self, name, shape):
        encoder, decoder = self.pair(name, shape)
        h, skips = encoder(torch.randn(2, *shape))
        decoder(h[..., :1].expand(*h.shape[:-1], 3), skips).square().sum().backward()
        silent = [n for part in (encoder, decoder) for n, p in part.named_parameters() if p.grad is None]
        assert silent == []

    def test_objects_of_a_batch_do_not_mix(self, name, shape):
        encoder, _ = self.pair(name, shape)
        x = torch.randn(3, *shape)
        torch.testing.assert_close(encoder(x)[0][1:], encoder(x[1:])[0])

    def test_settings_survive_json(self, name, shape):
        assert type(SMALL[name]).model_validate_json(SMALL[name].model_dump_json()) == SMALL[name]


def test_dense_without_layers_is_one_linear_map():
    encoder, decoder = Dense(widths=()).build((5,), 2)
    assert [sum(p.numel() for p in part.parameters()) for part in (encoder, decoder)] == [0, 15]


def test_tied_decoder_owns_biases_only_and_is_the_transpose():
    encoder, decoder = Dense(widths=(4,), tied=True, activation="identity").build((6,), 2)
    project = torch.nn.Linear(4, 2)
    decoder.tie([*encoder.layers, project])
    z = torch.randn(3, 2)
    expected = z @ project.weight @ encoder.layers[0].weight
    torch.testing.assert_close(decoder(z), expected)
    assert sorted(p.numel() for p in decoder.parameters()) == [4, 6]


def test_a_place_of_a_code_map_sees_its_surroundings_alone():
    encoder, _ = Conv(channels=(4, 6), map=True).build((1, 16, 16), 2)
    x, corner = torch.zeros(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)
    corner[..., 0, 0] = 1
    changed = (encoder(x)[0] != encoder(corner)[0]).any(-1)[0]
    assert changed.nonzero().tolist() == [[0, 0]]


def test_conv_moves_with_its_input():
    torch.manual_seed(0)
    encoder, _ = Conv(channels=(4,)).build((1, 16, 16), 2)
    x = torch.zeros(1, 1, 16, 16)
    x[..., 6:9, 6:9] = 1
    layer = encoder.layers[0]
    moved = layer(x.roll((2, 4), (2, 3)))
    torch.testing.assert_close(moved, layer(x).roll((1, 2), (2, 3)))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 5, 7), (2, 11), (9,)])
@pytest.mark.parametrize("chunk", [1, 3])
def test_steps_undo_themselves(shape, chunk):
    steps, x = Steps(shape, chunk), torch.randn(2, *shape)
    assert torch.equal(steps.join(steps.split(x)), x)


def test_lstm_steps_of_a_picture_are_its_rows():
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    assert torch.equal(Steps((1, 3, 4), 1).split(x)[0], x[0, 0])


def test_unet_skips_carry_what_the_code_does_not():
    torch.manual_seed(0)
    encoder, decoder = UNet(channels=(4, 6)).build((1, 8, 8), 2)
    x = torch.randn(1, 1, 8, 8)
    _, skips = encoder(x)
    z = torch.zeros(1, *encoder.grid, 2)
    assert not torch.allclose(decoder(z, skips), decoder(z))


@pytest.mark.parametrize(("shape", "times"), [((1, 3, 3), 2), ((1, 28, 28), 5), ((1, 1), 0), ((4, 2, 9), 1)])
def test_halvings_end_at_one(shape, times):
    assert halvings(shape) == times


def test_too_many_halvings_are_refused_in_one_sentence():
    with pytest.raises(UsageError, match=r"3 x 3 object 4 times; at most 2"):
        Conv(channels=(4, 4, 4, 4)).build((1, 3, 3), 2)


def test_an_even_kernel_is_refused():
    with pytest.raises(UsageError, match="odd"):
        Conv(kernel=4).build((1, 8, 8), 2)
