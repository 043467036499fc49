"""This module makes certificates at run time: an authority, one for the brokers, one for a client."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files. The broker's file holds its key and its certificate, as Kafka's PEM key store wants them."""

    authority_file: Path
    broker_file: Path
    client_certificate_file: Path
    client_key_file: Path


def make_certificates(folder: Path) -> Certificates:
    """Write a fresh authority and what it signed into `folder`; the broker is 127.0.0.1 and localhost."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _sign(_name("test authority"), authority_key, None, authority_key, [])
    broker_key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
    broker = _sign(_name("broker"), broker_key, authority, authority_key, names)
    client_key = ec.generate_private_key(ec.SECP256R1())
    client = _sign(_name("worker"), client_key, authority, authority_key, [])
    files = Certificates(*(folder / name for name in ("ca.pem", "broker.pem", "client.pem", "client.key")))
    files.authority_file.write_bytes(_pem(authority))
    files.broker_file.write_bytes(_key_pem(broker_key) + _pem(broker))
    files.client_certificate_file.write_bytes(_pem(client))
    files.client_key_file.write_bytes(_key_pem(client_key))
    return files


def _sign(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: list[x509.GeneralName],
) -> x509.Certificate:
    """A certificate for `key`; without an issuer it is an authority that signs itself."""
    now = datetime.now(UTC)
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(_key_usage(authority=issuer is None), critical=True)
    )
    if issuer:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    """What strict verifiers (Python 3.13) ask of an authority and of a leaf."""
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
