//! Reading the settings of booking mails (`docs/apis/events-api.md`).

use greenroom_core::config::{AwsEnvironment, Mail, MailTransport, Reader, Setting};
use secrecy::SecretString;

use crate::smtp::problem_of;

/// Reads the settings of mails; `None` if they are not asked for, or have a problem.
pub fn settings(reader: &mut Reader<'_>) -> Option<Mail> {
    let aws = AwsEnvironment::read(reader.environment, "SESV2");
    let (dir, url) = (reader.text(Setting::MailDir), reader.text(Setting::SmtpUrl));
    let transport = reader.parse(Setting::MailTransport, |text| match (text, &dir, &url) {
        ("file", Some(dir), _) => Ok(MailTransport::File(dir.into())),
        ("file", None, _) => Err(format!("file needs {}", Setting::MailDir.name())),
        ("smtp", _, Some(url)) if url.starts_with("smtp://") || url.starts_with("smtps://") => server(url),
        ("smtp", ..) => Err(format!("smtp needs {}, smtp:// or smtps://", Setting::SmtpUrl.name())),
        ("ses", ..) => Ok(MailTransport::Ses(aws.clone())),
        _ => Err("must be file, smtp or ses".to_owned()),
    });
    let from = reader.parse(Setting::MailFrom, address);
    let to = reader.parse(Setting::BookingMailTo, address);
    Some(Mail { transport: transport?, from: from?, to: to? })
}

/// The mail server of a URL.
fn server(url: &str) -> Result<MailTransport, String> {
    let url = SecretString::from(url);
    match problem_of(&url) {
        None => Ok(MailTransport::Smtp(url)),
        Some(problem) => Err(format!("{} cannot be used: {problem}", Setting::SmtpUrl.name())),
    }
}

/// A mail address in the form that every mail server takes. A domain with letters outside ASCII is in Punycode
/// (RFC 5891).
fn address(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty());
    let parts = parts.filter(|_| !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,".contains(c)));
    let (user, domain) = parts.ok_or("must be a mail address like bookings@example.com")?;
    if !user.is_ascii() {
        return Err("must have ASCII letters only before the @: not every mail server takes others".to_owned());
    }
    Ok(sendable(user, domain).ok_or("must be a mail address like bookings@example.com")?)
}

fn sendable(user: &str, domain: &str) -> Option<String> {
    let domain = if domain.is_ascii() { domain.to_owned() } else { idna::domain_to_ascii_strict(domain).ok()? };
    let address = format!("{user}@{domain}");
    address.parse::<lettre::Address>().is_ok().then_some(address)
}

#[cfg(test)]
mod tests {
    use greenroom_core::config::{Config, Environment, Strictness};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("bookings@example.com", "bookings@example.com")]
    #[case::of_this_machine("greenroom@localhost", "greenroom@localhost")]
    #[case::of_an_address("a@[127.0.0.1]", "a@[127.0.0.1]")]
    #[case::as_it_is_typed("Bookings@Example.COM", "Bookings@Example.COM")]
    #[case::other_letters("bookings@müller.example", "bookings@xn--mller-kva.example")]
    #[case::in_capitals("bookings@MÜLLER.example", "bookings@xn--mller-kva.example")]
    #[case::other_scripts("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah")]
    fn a_domain_is_written_as_mail_servers_take_it(#[case] text: &str, #[case] sent: &str) {
        assert_eq!(address(text).as_deref(), Ok(sent));
    }

    #[rstest]
    #[case::without_tls("smtp://127.0.0.1", true)]
    #[case::with_credentials("smtps://user:pass%20word@mail.example:2465", true)]
    #[case::no_host("smtp://", false)]
    #[case::no_port("smtp://mail.example:port", false)]
    #[case::tls_as_nobody_says_it("smtp://mail.example?tls=yes", false)]
    #[case::credentials_of_other_bytes("smtp://user:%ff@mail.example", false)]
    fn a_mail_server_is_one_that_can_be_used(#[case] url: &str, #[case] usable: bool) {
        assert_eq!(server(url).is_ok(), usable);
    }

    #[rstest]
    #[case::no_address("bookings")]
    #[case::nobody("@example.com")]
    #[case::nowhere("bookings@")]
    #[case::with_a_name("Bookings <bookings@example.com>")]
    #[case::several("a@example.com,b@example.com")]
    #[case::dots("a..b@example.com")]
    #[case::no_name_of_a_host("a@exa_mple..com")]
    #[case::other_letters_before_the_at("büro@example.com")]
    #[case::no_letters("a@\u{200d}.example")]
    #[case::a_label_too_long(&format!("a@{}.example", "ü".repeat(64)))]
    fn what_cannot_be_sent_to_is_refused(#[case] text: &str) {
        assert!(address(text).is_err());
    }

    #[test]
    fn problems_of_mails_are_in_one_error_with_all_others() {
        let settings = [Setting::TableName, Setting::MailTransport, Setting::MailDir];
        let read = Config::read_with_mail(&Environment::default(), &settings, Strictness::Deployed, super::settings);
        let error = read.unwrap_err().to_string();
        assert!(error.contains("  TABLE_NAME: missing"), "{error}");
        assert!(error.contains("  MAIL_TRANSPORT: file needs MAIL_DIR"), "{error}");
    }
}
