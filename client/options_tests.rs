//! Command lines, right and wrong.

use super::*;

fn parsed(line: &str, env_name: Option<&str>) -> Result<Options, String> {
    match parse(
        line.split_whitespace().map(OsString::from),
        env_name.map(OsString::from),
        None,
    ) {
        Ok(Invocation::Chat(options)) => Ok(options),
        Ok(other) => panic!("{other:?}"),
        Err(sentence) => Err(sentence),
    }
}

#[test]
fn address_defaults_to_this_computer() {
    let options = parsed("", None).unwrap();
    assert_eq!(options.address.to_string(), "127.0.0.1:9000");
    assert_eq!(options.room, RoomName::lobby());
    assert!(options.name.is_none() && !options.plain && !options.keep_listening);
}

#[test]
fn options_override_the_environment() {
    let options = parsed(
        "-n robô 192.168.0.10 --sala #lab --linhas --ficar",
        Some("Ana"),
    )
    .unwrap();
    assert_eq!(options.address.to_string(), "192.168.0.10:9000");
    assert_eq!(options.name, Some(Name::new("robô").unwrap()));
    assert_eq!(options.room.as_str(), "lab");
    assert!(options.plain && options.keep_listening);
    assert_eq!(
        parsed("", Some("Ana")).unwrap().name,
        Some(Name::new("Ana").unwrap())
    );
}

#[test]
fn usage_error_says_what_would_be_right() {
    let error = |line| parsed(line, None).unwrap_err();
    assert_eq!(
        error("--noem Ana"),
        "Não conheço a opção “--noem”. Você quis dizer --nome? Veja todas com: cliente --ajuda"
    );
    assert_eq!(
        error("-x"),
        "Não conheço a opção “-x”. Veja todas com: cliente --ajuda"
    );
    assert_eq!(
        error("--nome"),
        "Falta o valor da opção --nome. Escreva assim: cliente --nome Ana"
    );
    assert!(error("--nome <Ana>").starts_with("Este nome não serve"));
    assert!(error("a b").starts_with("Só um endereço por vez: “b” sobrou."));
    assert!(error("localhost:porta").starts_with("Este endereço não parece certo."));
    assert!(error("--linhas=sim").starts_with("A opção --linhas não leva valor."));
}

#[test]
fn help_lists_every_option() {
    for choice in OPTIONS {
        assert!(help().contains(&format!("--{}", choice.long)));
    }
    assert!(matches!(
        parse([OsString::from("--help")], None, None),
        Ok(Invocation::Help)
    ));
    assert!(matches!(
        parse([OsString::from("-V")], None, None),
        Ok(Invocation::Version)
    ));
}

#[test]
fn secrets_come_from_options_or_variables_and_stay_hidden() {
    let asked = |line: &str, password: Option<&str>| {
        let arguments = line.split_whitespace().map(OsString::from);
        match parse(arguments, None, password.map(OsString::from)) {
            Ok(Invocation::Chat(options)) => options.credentials,
            other => panic!("{other:?}"),
        }
    };
    let secret = |raw: &str| Password::new(raw);
    assert_eq!(asked("", None), Credentials::default());
    assert_eq!(asked("", Some("maçã")).password, secret("maçã"));
    let given = asked("--senha pera --chave k7", Some("maçã"));
    assert_eq!(
        (&given.password, &given.moderator_key),
        (&secret("pera"), &secret("k7"))
    );
    assert!(!format!("{given:?}").contains("pera"));
    let arguments = ["--senha", ""].map(OsString::from);
    assert_eq!(
        parse(arguments, None, None).unwrap_err(),
        "Esta senha não serve: use de 1 a 128 caracteres."
    );
}
