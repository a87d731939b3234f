use insta::assert_snapshot;
use rstest::rstest;

use super::*;

fn environment(values: &[(&str, &str)]) -> Environment {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn one_error_names_everything_that_is_missing_or_malformed() {
    let environment = environment(&[
        ("SIGNING_KEYS", r#"[{"kid":"a","secret":"dG9vIHNob3J0"}]"#),
        ("DEVICE_SESSION_TTL", "0"),
        ("DEVICE_REGISTRATION", "closed"),
        ("PUBLIC_URL", "greenroom.example"),
        ("LOG", "debgu"),
    ]);
    let mail: MailReader = |reader| {
        reader.parse(Setting::MailTransport, |_| Err::<(), _>("file needs MAIL_DIR".to_owned()));
        None
    };
    let error = Config::read_with_mail(&environment, Setting::ALL, Strictness::Deployed, mail).unwrap_err();
    assert_snapshot!(error, @r#"
    the configuration is not complete:
      TABLE_NAME: missing (the table)
      PUBLIC_URL: must be a URL like https://greenroom.example, without a path
      OPENVIDU_SECRET: missing (secret of OPENVIDUAPP, or a JSON array of the secrets good at present)
      SIGNING_KEYS: must be JSON like [{"kid":"…","secret":"…"}], each secret at least 32 bytes in base64
      DEVICE_REGISTRATION: must be open or token
      DEVICE_SESSION_TTL: must be a number of seconds, from 1 on
      OPENTOK_API_KEY: missing (key of the OpenTok project; needed with the media providers `offline` and `opentok`)
      OPENTOK_API_SECRET: missing (secret of the OpenTok project, which its tokens are signed with; needed with the same media providers)
      STREAMS_ACCESS_TOKEN: missing (access token of the operators of live sessions, or a JSON array of the tokens good at present)
      STREAMS_WEBHOOK_SECRET: missing (secret that media servers sign admission webhooks with, or a JSON array of those good at present)
      MAIL_TRANSPORT: file needs MAIL_DIR
      LOG: must be a level (off, error, warn, info, debug or trace), or levels of targets like info,greenroom_store=debug
    "#);
}

#[rstest]
#[case::a_documented_secret("MY_SECRET", Strictness::Deployed, None)]
#[case::a_short_secret("abcdefghijklmno", Strictness::Deployed, None)]
#[case::a_documented_secret_at_home("MY_SECRET", Strictness::Local, Some(1))]
#[case::a_long_secret("kXq7vTz2:mWbR4pLd", Strictness::Deployed, Some(1))]
#[case::two_live_secrets(r#"["kXq7vTz2mWbR4pLd","Gy5nCj8sQw3eHb6u"]"#, Strictness::Deployed, Some(2))]
#[case::with_their_dates(
    r#"[{"secret":"kXq7vTz2mWbR4pLd","createdAt":"2026-11-22T10:00:00Z"},"Gy5nCj8sQw3eHb6u"]"#,
    Strictness::Deployed,
    Some(2)
)]
#[case::a_date_that_is_none(r#"[{"secret":"kXq7vTz2mWbR4pLd","createdAt":"today"}]"#, Strictness::Local, None)]
#[case::the_same_twice(r#"["kXq7vTz2mWbR4pLd","kXq7vTz2mWbR4pLd"]"#, Strictness::Deployed, None)]
#[case::a_placeholder("please-changeme-later", Strictness::Deployed, None)]
#[case::a_placeholder_at_home("please-changeme-later", Strictness::Local, Some(1))]
#[case::an_umlaut("abcdefghijklmnöp", Strictness::Local, None)]
#[case::a_broken_list(r#"["kXq7vTz2mWbR4pLd","Gy5nCj8sQw3eHb6u",]"#, Strictness::Deployed, None)]
#[case::one_of_two_is_short(r#"["kXq7vTz2mWbR4pLd","MY_SECRET"]"#, Strictness::Deployed, None)]
fn a_deployed_secret_is_ones_own_and_long(
    #[case] value: &str,
    #[case] strictness: Strictness,
    #[case] live: Option<usize>,
) {
    let config = Config::read(&environment(&[("OPENVIDU_SECRET", value)]), &[Setting::OpenviduSecret], strictness);
    assert_eq!(config.ok().map(|config| config.openvidu_secrets.len()), live);
}

#[test]
fn one_error_names_every_value_that_suits_a_trial_only() {
    let environment = environment(&[
        ("OPENVIDU_SECRET", "aaaaaaaaaaaaaaaaaaaa"),
        ("SIGNING_KEYS", r#"[{"kid":"1","secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]"#),
        ("STREAMS_ACCESS_TOKEN", "kXq7vTz2mWbR4pLd"),
        ("STREAMS_WEBHOOK_SECRET", "kXq7vTz2mWbR4pLd"),
    ]);
    let settings =
        [Setting::OpenviduSecret, Setting::SigningKeys, Setting::StreamsAccessToken, Setting::StreamsWebhookSecret];
    let error = Config::read(&environment, &settings, Strictness::Deployed).unwrap_err();
    assert_snapshot!(error, @r"
    the configuration is not complete:
      OPENVIDU_SECRET: must be a secret of one's own, made at random, not one of an example
      SIGNING_KEYS: each secret must be made at random, not be one of an example
      STREAMS_WEBHOOK_SECRET: must not be that of STREAMS_ACCESS_TOKEN
    ");
    assert!(Config::read(&environment, &settings, Strictness::Local).is_ok());
}

#[test]
fn the_secret_of_a_provider_is_theirs_to_choose() {
    let read = |provider| {
        let environment = environment(&[("OPENTOK_API_SECRET", "short"), ("VIDEO_PROVIDER", provider)]);
        Config::read(&environment, &[Setting::OpentokApiSecret, Setting::VideoProvider], Strictness::Deployed)
    };
    assert!(read("opentok").is_ok());
    assert!(read("offline").is_err());
}

#[test]
fn a_setting_that_is_not_asked_for_is_not_read() {
    let config = Config::read(&environment(&[("OPENVIDU_SECRET", "x")]), &[], Strictness::Deployed).unwrap();
    assert!(config.openvidu_secrets.is_empty());
    assert!(config.signing_keys.is_empty());
}

#[test]
fn no_error_quotes_a_secret() {
    let key = "not base64, but secret";
    let environment = environment(&[("SIGNING_KEYS", key), ("OPENVIDU_SECRET", "short-and-secret")]);
    let error = Config::read(&environment, Setting::ALL, Strictness::Deployed).unwrap_err();
    assert!(!format!("{error} {error:?} {environment:?}").contains("secret,"));
    assert!(!error.to_string().contains(key));
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_text_is_said_and_others_are_let_be() {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt};
    let not_text = || OsString::from_vec(vec![0xff, b'x']);
    let variables = [("LOG".into(), not_text()), (not_text(), "x".into()), ("TABLE_NAME".into(), "t".into())];
    let environment: Environment = variables.into_iter().collect();
    let read = |setting| Config::read(&environment, &[setting], Strictness::Deployed);
    assert_eq!(read(Setting::TableName).unwrap().table_name, "t");
    assert_snapshot!(read(Setting::Log).unwrap_err(), @"
    the configuration is not complete:
      LOG: must be UTF-8
    ");
}
