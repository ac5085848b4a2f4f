//! The client's command line and variables, valid and invalid.

use super::*;

fn read(line: &str, variables: &[(&str, &str)]) -> Result<Options, String> {
    let arguments = line.split_whitespace().map(OsString::from);
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.into())
    };
    match parse(arguments, variable) {
        Ok(Invocation::Chat(options)) => Ok(options),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.0),
    }
}

#[test]
fn address_defaults_to_this_computer() {
    let options = read("", &[]).unwrap();
    assert_eq!(options.address.to_string(), "127.0.0.1:9000");
    assert_eq!(options.room, RoomName::lobby());
    assert!(options.name.is_none() && !options.plain && !options.keep_listening);
}

#[test]
fn options_override_the_environment() {
    let options = read(
        "-n robô 192.168.0.10 --sala #lab --linhas --ficar",
        &[("PAPO_NOME", "Ana"), ("PAPO_SALA", "outra")],
    )
    .unwrap();
    assert_eq!(options.address.to_string(), "192.168.0.10:9000");
    assert_eq!(options.name, Some(Name::new("robô").unwrap()));
    assert_eq!(options.room.as_str(), "lab");
    assert!(options.plain && options.keep_listening);
}

#[test]
fn every_option_can_come_from_its_variable() {
    for option in COMMAND_LINE.options {
        let expected = format!("PAPO_{}", option.long_name().to_uppercase());
        assert_eq!(option.variable_name(), Some(expected.as_str()));
    }
    let options = read(
        "",
        &[
            ("PAPO_NOME", "Ana"),
            ("PAPO_SALA", "#lab"),
            ("PAPO_CHAVE", "k7"),
            ("PAPO_LINHAS", "1"),
            ("PAPO_FICAR", "sim"),
            ("PAPO_INSISTIR", "sim"),
            ("PAPO_JSON", "não"),
        ],
    )
    .unwrap();
    assert_eq!(options.name, Some(Name::new("Ana").unwrap()));
    assert_eq!(options.room.as_str(), "lab");
    assert_eq!(options.credentials.moderator_key, Password::new("k7"));
    assert!(options.plain && options.keep_listening && options.reconnect);
    assert!(!options.json);
}

#[test]
fn invalid_variable_is_an_error_only_where_it_is_used() {
    let variables = [("PAPO_NOME", "<Ana>")];
    let error = read("", &variables).unwrap_err();
    assert!(
        error.starts_with("PAPO_NOME: Este nome não serve"),
        "{error}"
    );
    assert!(read("--nome Ana", &variables).is_ok());
}

#[test]
fn usage_error_says_what_would_be_right() {
    let error = |line| read(line, &[]).unwrap_err();
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
        "A opção “--nome” precisa de um valor, por exemplo: cliente --nome Ana"
    );
    assert!(error("--nome <Ana>").starts_with("Este nome não serve"));
    assert!(error("a b").starts_with("Só um endereço por vez: “b” sobrou."));
    assert!(error("localhost:porta").starts_with("Este endereço não parece certo."));
    assert!(error("--linhas=sim").starts_with("A opção “--linhas” não leva valor"));
}

#[test]
fn help_lists_every_option() {
    for option in COMMAND_LINE.options {
        assert!(help().contains(&format!("--{}", option.long_name())));
    }
    let parse_flag = |flag: &str| parse([OsString::from(flag)], |_| None);
    assert!(matches!(parse_flag("--help"), Ok(Invocation::Help)));
    assert!(matches!(parse_flag("-V"), Ok(Invocation::Version)));
}

#[test]
fn secrets_come_from_options_or_variables_and_stay_hidden() {
    let credentials = |line: &str, variables: &[(&str, &str)]| {
        let options = read(line, variables).unwrap();
        options.credentials
    };
    let variables = [("PAPO_SENHA", "maçã")];
    assert_eq!(credentials("", &[]), Credentials::default());
    assert_eq!(credentials("", &variables).password, Password::new("maçã"));
    let given = credentials("--senha pera --chave k7", &variables);
    assert_eq!(given.password, Password::new("pera"));
    assert_eq!(given.moderator_key, Password::new("k7"));
    assert!(!format!("{given:?}").contains("pera"));
    assert_eq!(
        read("--senha=", &[]).unwrap_err(),
        "Esta senha não serve: use de 1 a 128 caracteres."
    );
}
