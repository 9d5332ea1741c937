//! Why is a certificate refused, and what can be done? The library says which rule is broken; here the certificate
//! that breaks it is looked for, by names.

use std::time::SystemTime;

use twinseal::{CertificateRefusal as Reason, SignatureSuite, x509::Certificate};
use x509_cert::{
    Certificate as Fields,
    der::{DateTime, Decode, asn1::ObjectIdentifier, oid::db::DB},
    ext::pkix::{BasicConstraints, ExtendedKeyUsage},
};

use super::{super::wanted::Wanted, short, subject};
use crate::name::Name;

/// A chain that is refused, and what it was judged by.
pub(super) struct Refused<'a> {
    pub(super) file: &'a Name,
    pub(super) chain: &'a [Certificate],
    /// The file of `--ca`, and what is in it.
    pub(super) authorities: Option<(&'a Name, &'a [Certificate])>,
    pub(super) eku: Option<&'a str>,
    pub(super) now: SystemTime,
    pub(super) wanted: Wanted,
}

/// A certificate, and the file that it is in.
type Found<'a> = (&'a Certificate, &'a Name);

impl Refused<'_> {
    /// The reason, and what to do.
    pub(super) fn text(&self, reason: Reason) -> String {
        let is_readable = !matches!(reason, Reason::Malformed | Reason::Version);
        if is_readable && self.chain.first().is_some_and(is_authority) {
            return self.authority_first();
        }
        let text = match reason {
            Reason::Expired => self.expired(),
            Reason::NotYetValid => self.not_yet_valid(),
            Reason::UnknownIssuer | Reason::Algorithm => self.broken_link(),
            Reason::ExtendedKeyUsage => self.usages(),
            _ => None,
        };
        text.unwrap_or_else(|| format!("{reason}; {}", self.advice(reason)))
    }

    fn advice(&self, reason: Reason) -> String {
        match reason {
            Reason::Expired => "get a new one",
            Reason::NotYetValid => "check the clock of this machine, or wait",
            Reason::UnknownIssuer => "check --ca",
            Reason::Signature => "fetch it again, or check --ca",
            Reason::Name => {
                let names = self.chain.first().map(Certificate::names).unwrap_or_default();
                let names: Vec<_> = names.iter().map(ToString::to_string).collect();
                return match names.as_slice() {
                    [] => "it has no name but its subject; name that with --subject".into(),
                    names => format!("its names are {}", short(&names.join(", "))),
                };
            }
            Reason::NotACa => "name the certificate of an authority with --ca",
            Reason::Algorithm => "twinseal verifies only signatures of its own suites",
            Reason::TooComplex => {
                "leave only those of authorities between in the file, at most 6 one after another"
            }
            Reason::IsACa => "name the certificate that the authority issued",
            Reason::Malformed => "fetch it again",
            Reason::CriticalExtension => "a newer twinseal may know it",
            _ => "ask its issuer for another one",
        }
        .into()
    }

    /// The first certificate is that of an authority.
    fn authority_first(&self) -> String {
        let needed = self.wanted.article_and_noun();
        let advice = match self.chain.iter().any(|certificate| !is_authority(certificate)) {
            true => {
                "put the certificate with that first in the file, and those of authorities after it"
            }
            false => "name the certificate that the authority issued",
        };
        format!("it is that of a certification authority, but {needed} is needed; {advice}")
    }

    fn expired(&self) -> Option<String> {
        let (certificate, file) = self.first_that(|it| it.not_after() < self.now)?;
        let (which, date) = (self.which(certificate, file), date(certificate.not_after())?);
        Some(format!("{which} expired on {date}; get a new one"))
    }

    fn not_yet_valid(&self) -> Option<String> {
        let (certificate, file) = self.first_that(|it| it.not_before() > self.now)?;
        let (which, date) = (self.which(certificate, file), date(certificate.not_before())?);
        Some(format!(
            "{which} is not yet valid, but from {date}; check the clock of this machine, or wait"
        ))
    }

    fn usages(&self) -> Option<String> {
        let lacks = |certificate: &Certificate| {
            usages_of(certificate).is_some_and(|usages| {
                !usages.iter().any(|usage| Some(&*usage.to_string()) == self.eku)
            })
        };
        let (certificate, file) = self.first_that(lacks)?;
        let usages: Vec<_> = usages_of(certificate)?.iter().map(named).collect();
        let which = self.which(certificate, file);
        let advice = match (self.authorities, self.eku) {
            (None, _) => "verify it with --ca, and name one of them with --eku".into(),
            (_, None) => "name one of them with --eku".into(),
            (_, Some(eku)) => format!("{eku} is none of them: check --eku"),
        };
        let usages = short(&usages.join(", "));
        Some(format!("{which} is for these extended key usages: {usages}; {advice}"))
    }

    /// Why the way from issuer to issuer does not lead to a trusted authority.
    fn broken_link(&self) -> Option<String> {
        let (ca, _) = self.authorities?;
        let (path, is_trusted) = self.path();
        let signed = if is_trusted { path.split_last()?.1 } else { &path };
        if let Some((certificate, algorithm)) = signed.iter().find_map(other_algorithm) {
            let which = self.which(certificate.0, certificate.1);
            let ours = SignatureSuite::ML_DSA_87_ECDSA_P384.name();
            return Some(format!(
                "{which} is signed with {algorithm}; twinseal verifies only signatures of {ours}"
            ));
        }
        if is_trusted {
            return None;
        }
        let (last, file) = *path.last()?;
        let (first, issuer) = (self.chain.first()?, short(&last.issuer()));
        Some(match (last == first, is_self_issued(last)) {
            (true, true) => {
                format!("it issued itself; get one that an authority in {ca} issued, or check --ca")
            }
            (false, true) => {
                format!("no chain leads from it to {ca}, only to {issuer} in {file}; check --ca")
            }
            (is_first, _) => {
                let whose = match is_first {
                    true => "its issuer".into(),
                    false => format!("the issuer of {}", subject(last)),
                };
                format!(
                    "no chain leads from it to {ca}: the certificate of {whose}, {issuer}, is missing; \
                     put it into {}, after the others, or check --ca",
                    self.file
                )
            }
        })
    }

    /// From issuer to issuer, as far as there are certificates with their names, and whether the last is trusted.
    fn path(&self) -> (Vec<Found<'_>>, bool) {
        let mut path: Vec<Found<'_>> = Vec::new();
        let mut next = self.chain.first().map(|first| (first, self.file));
        while let Some((certificate, file)) = next {
            path.push((certificate, file));
            let is_issuer = |other: &&Certificate| other.subject() == certificate.issuer();
            if let Some((ca, authorities)) = self.authorities
                && let Some(authority) = authorities.iter().find(is_issuer)
            {
                path.push((authority, ca));
                return (path, true);
            }
            let is_new = |other: &&Certificate| path.iter().all(|(seen, _)| seen != other);
            let between = self.chain.iter().find(|other| is_issuer(other) && is_new(other));
            next = between.map(|certificate| (certificate, self.file));
        }
        (path, false)
    }

    fn first_that(&self, is_it: impl Fn(&Certificate) -> bool) -> Option<Found<'_>> {
        self.path().0.into_iter().find(|(certificate, _)| is_it(certificate))
    }

    fn which(&self, certificate: &Certificate, file: &Name) -> String {
        match self.chain.first() == Some(certificate) {
            true => "it".into(),
            false => format!("that of its issuer {} in {file}", subject(certificate)),
        }
    }
}

/// Whether it calls itself that of a certification authority.
pub(in super::super) fn is_authority(certificate: &Certificate) -> bool {
    let constraints = fields(certificate).and_then(|fields| {
        fields.tbs_certificate().get_extension::<BasicConstraints>().ok().flatten()
    });
    constraints.is_some_and(|(_, constraints)| constraints.ca)
}

fn is_self_issued(certificate: &Certificate) -> bool {
    certificate.subject() == certificate.issuer()
}

fn usages_of(certificate: &Certificate) -> Option<Vec<ObjectIdentifier>> {
    let fields = fields(certificate)?;
    let (_, usages) = fields.tbs_certificate().get_extension::<ExtendedKeyUsage>().ok()??;
    Some(usages.0)
}

/// The algorithm of a signature that is not of a suite of twinseal.
fn other_algorithm<'a>(found: &Found<'a>) -> Option<(Found<'a>, String)> {
    let oid = fields(found.0)?.signature_algorithm().oid;
    let text = oid.to_string();
    let is_ours = SignatureSuite::ALL.iter().any(|suite| suite.oid() == Some(&*text));
    (!is_ours).then(|| (*found, named(&oid)))
}

fn fields(certificate: &Certificate) -> Option<Fields> {
    Fields::from_der(certificate.as_der()).ok()
}

/// With its usual name, if it has one.
fn named(oid: &ObjectIdentifier) -> String {
    match DB.by_oid(oid) {
        Some(name) => format!("{oid} ({})", name.trim_start_matches("id-kp-")),
        None => oid.to_string(),
    }
}

fn date(time: SystemTime) -> Option<DateTime> {
    DateTime::from_system_time(time).ok()
}
