"""Tests of settings that stand in files, as secrets are mounted."""

import pytest

from settings import SettingsError, load_settings


@pytest.fixture
def secret(tmp_path, monkeypatch):
    monkeypatch.delenv("GENESYS_CLIENT_SECRET", raising=False)
    path = tmp_path / "secret"
    path.write_text("from a file \n")
    monkeypatch.setenv("GENESYS_CLIENT_SECRET_FILE", str(path))
    return path


def test_a_setting_is_read_from_the_file_that_is_named(secret):
    assert load_settings().genesys_client_secret.get_secret_value() == "from a file "


def test_any_setting_can_stand_in_a_file_and_is_looked_at_as_ever(tmp_path, monkeypatch):
    (tmp_path / "n").write_text("-1")
    monkeypatch.setenv("MAX_RETRIES_FILE", str(tmp_path / "n"))
    with pytest.raises(SettingsError, match="MAX_RETRIES: "):
        load_settings()
    (tmp_path / "n").write_text("7\n")
    assert load_settings().max_retries == 7


def test_a_file_that_cannot_be_read_names_the_setting_and_the_reason(secret):
    secret.unlink()
    with pytest.raises(SettingsError, match=r"GENESYS_CLIENT_SECRET_FILE: .* cannot be read: No such file"):
        load_settings()


def test_given_twice_is_refused_without_telling_either(secret, monkeypatch):
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "from the environment")
    with pytest.raises(SettingsError, match="remove one") as caught:
        load_settings()
    assert "from" not in str(caught.value)


def test_an_empty_file_is_a_setting_that_is_not_given(secret):
    secret.write_text("\n")
    assert load_settings().genesys_client_secret is None
