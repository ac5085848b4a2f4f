//! The command line as people type it, and as they mistype it.

use super::*;
use std::os::unix::ffi::OsStringExt;

fn parse_line(arguments: &str) -> Result<Command, UsageError> {
    parse(arguments.split_whitespace().map(OsString::from), |_| None)
}

fn config(arguments: &str) -> Config {
    match parse_line(arguments) {
        Ok(Command::Serve(config)) => config,
        other => panic!("{arguments}: {other:?}"),
    }
}

fn usage_error(arguments: &str) -> String {
    parse_line(arguments).expect_err(arguments).0
}

#[test]
fn server_listens_on_loopback_without_options() {
    assert_eq!(
        config("").socket_address(),
        "127.0.0.1:9000".parse().unwrap()
    );
}

#[test]
fn options_are_read_in_all_their_forms() {
    for arguments in ["-p 9001", "-p9001", "--porta 9001", "--porta=9001"] {
        assert_eq!(config(arguments).port, 9001, "{arguments}");
    }
    let all = config(
        "--rede --ritmo 2,5 --max-conexoes 50 --origem https://A.exemplo/ --origem null --dominio Papo.local \
         --historico nenhum --sem-qr -vv --log papo.log",
    );
    assert_eq!(all.address, Ipv4Addr::UNSPECIFIED);
    assert_eq!((all.rate, all.max_connections, all.verbosity), (2.5, 50, 2));
    assert!(!all.qr_code && config("").qr_code);
    assert_eq!(all.origins, ["https://a.exemplo", "null"]);
    assert_eq!(
        (all.domains, all.log_file),
        (vec!["papo.local".to_owned()], Some("papo.log".into()))
    );
}

#[test]
fn flag_overrides_its_variable() {
    let variable = |name: &str| match name {
        "PAPO_PORTA" => Some("9100".into()),
        "PAPO_ORIGEM" => Some("http://a, http://b".into()),
        "PAPO_DETALHES" => Some("1".into()),
        _ => None,
    };
    let read =
        |arguments: &str| match parse(arguments.split_whitespace().map(OsString::from), variable) {
            Ok(Command::Serve(config)) => config,
            other => panic!("{other:?}"),
        };
    assert_eq!((read("").port, read("--porta 9200").port), (9100, 9200));
    assert_eq!(read("").origins, ["http://a", "http://b"]);
    assert_eq!(read("--origem http://c").origins, ["http://c"]);
    assert_eq!((read("").verbosity, read("-vv").verbosity), (1, 2));
}

#[test]
fn invalid_variable_is_an_error_only_for_serve() {
    let variable = |name: &str| (name == "PAPO_PORTA").then(|| "abc".into());
    let read = |arguments: &str| parse(arguments.split_whitespace().map(OsString::from), variable);
    assert_eq!(
        read("").unwrap_err().0,
        format!("PAPO_PORTA: {}", usage_error("--porta abc"))
    );
    assert!(matches!(read("--porta 9200"), Ok(Command::Serve(config)) if config.port == 9200));
    assert_eq!(read("--ajuda"), Ok(Command::Help));
    assert!(matches!(read("exportar"), Ok(Command::Export(_))));
}

#[test]
fn password_is_read_and_absent_from_debug() {
    let config = config("--senha sésamo");
    assert_eq!(
        config
            .password
            .as_ref()
            .map(crate::protocol::Password::expose_secret),
        Some("sésamo")
    );
    assert!(!format!("{config:?}").contains("sésamo"));
    let long = "x".repeat(200);
    assert!(!usage_error(&format!("--senha {long}")).contains(&long));
    let from_variable = parse([], |name| {
        (name == "PAPO_SENHA").then(|| "outra senha".into())
    });
    assert!(matches!(from_variable, Ok(Command::Serve(config)) if config.password.is_some()));
}

#[test]
fn help_and_version_are_found_in_both_languages() {
    for arguments in ["-h", "--ajuda", "--help", "--porta 9001 --ajuda"] {
        assert_eq!(parse_line(arguments), Ok(Command::Help));
    }
    assert_eq!(parse_line("--versao"), Ok(Command::Version));
    assert_eq!(parse_line("-V"), Ok(Command::Version));
}

#[test]
fn usage_errors_suggest_what_to_write() {
    let prota =
        "Não conheço a opção “--prota”. Você quis dizer --porta? Veja todas com: servidor --ajuda";
    assert_eq!(usage_error("--prota 9"), prota);
    let abc =
        "“abc” não é uma porta. Use um número de 1 a 65535, por exemplo: servidor --porta 9000";
    assert_eq!(usage_error("--porta abc"), abc);
    assert_eq!(
        usage_error("-z"),
        "Não conheço a opção “-z”. Veja todas com: servidor --ajuda"
    );
    assert!(usage_error("--porta").contains("precisa de um valor"));
    assert!(usage_error("--rede=sim").contains("não leva valor"));
    assert!(usage_error("conversa").contains("Não sei o que fazer com “conversa”"));
    for arguments in [
        "--porta 70000",
        "--endereco casa",
        "--ritmo -1",
        "--ritmo NaN",
        "--ritmo 1e-20",
        "--max-conexoes 0",
        "--origem exemplo.com",
        "--dominio a/b",
        "--guardar 0",
        "--guardar muito",
    ] {
        assert!(
            usage_error(arguments).contains("servidor --"),
            "{arguments}: {}",
            usage_error(arguments)
        );
    }
}

#[test]
fn history_is_a_file_by_default() {
    assert_eq!(
        config("").history,
        HistoryLocation::File("historico.db".into())
    );
    assert_eq!(
        config("--historico nenhum").history,
        HistoryLocation::Memory
    );
    assert_eq!(config("--guardar 30").keep_days, Some(30));
}

#[test]
fn words_that_mean_no_history_are_not_files() {
    for word in ["nenhum", "Nenhum", "NENHUM", "none", "nenhum ", " None"] {
        let parsed = parse(["--historico".into(), word.into()], |_| None);
        assert!(
            matches!(parsed, Ok(Command::Serve(config)) if config.history == HistoryLocation::Memory),
            "{word}"
        );
    }
    let memory = usage_error("--historico :memory:");
    assert!(memory.ends_with("Para não guardar use --historico nenhum"));
    for option in ["--historico", "--copia", "--log"] {
        let empty = parse([option.into(), " ".into()], |_| None).unwrap_err().0;
        assert!(
            empty.starts_with("O nome do arquivo está vazio."),
            "{empty}"
        );
    }
    assert_eq!(
        config("--historico file:x.db").history,
        HistoryLocation::File("file:x.db".into())
    );
}

#[test]
fn path_need_not_be_utf8() {
    let name: OsString = String::from("ã.db").into();
    // The same as Latin-1, which is no UTF-8.
    let latin1 = OsString::from_vec(b"\xe3.db".to_vec());
    for name in [name, latin1] {
        let path = PathBuf::from(&name);
        let flag = |flag: &str| parse([flag.into(), name.clone()], |_| None).unwrap();
        assert!(
            matches!(flag("--historico"), Command::Serve(config) if config.history == HistoryLocation::File(path.clone()))
        );
        assert!(
            matches!(flag("--log"), Command::Serve(config) if config.log_file == Some(path.clone()))
        );
        let variable = |wanted: &str| (wanted == "PAPO_HISTORICO").then(|| name.clone());
        let copying = parse(["copiar".into(), name.clone()], variable);
        let transfer = Transfer {
            history: path.clone(),
            copy: path,
        };
        assert_eq!(copying, Ok(Command::Copy(transfer)));
    }
}

#[test]
fn copy_and_restore_are_words() {
    let transfer = Transfer {
        history: "h.db".into(),
        copy: "c.db".into(),
    };
    for line in [
        "copiar c.db --historico h.db",
        "--copia c.db --historico h.db",
    ] {
        assert_eq!(
            parse_line(line),
            Ok(Command::Copy(transfer.clone())),
            "{line}"
        );
    }
    let restoring = parse_line("restaurar --historico=h.db c.db");
    assert_eq!(restoring, Ok(Command::Restore(transfer)));
    assert!(usage_error("restaurar").contains("servidor restaurar copia.db"));
    assert!(usage_error("copiar c.db d.db").contains("“d.db”"));
    assert!(usage_error("copiar c.db --historico nenhum").contains("na memória"));
    assert!(usage_error("--copia c.db --historico nenhum").contains("na memória"));
}

#[test]
fn mistyped_word_is_guessed() {
    for (line, hint) in [
        ("exportr", "Você quis dizer: servidor exportar?"),
        ("copia", "Você quis dizer: servidor copiar?"),
        ("--porta 9001 restaurar", "logo depois de servidor"),
        ("9001", "servidor --porta 9001"),
    ] {
        let error = usage_error(line);
        assert!(error.contains(hint), "{line}: {error}");
    }
    assert_eq!(parse_line("ajuda"), Ok(Command::Help));
}

#[test]
fn invalid_history_variable_is_an_error_for_words_too() {
    let variable = |name: &str| (name == "PAPO_HISTORICO").then(|| ":memory:".into());
    let read = |line: &str| parse(line.split_whitespace().map(OsString::from), variable);
    for line in ["", "exportar", "copiar c.db", "restaurar c.db"] {
        let error = read(line).unwrap_err().0;
        assert!(error.starts_with("PAPO_HISTORICO: "), "{line}: {error}");
    }
    assert!(matches!(
        read("exportar --historico h.db"),
        Ok(Command::Export(_))
    ));
}

#[test]
fn export_has_its_own_options() {
    let Ok(Command::Export(export)) =
        parse_line("exportar --formato=json --sala laboratório --historico x.db")
    else {
        panic!()
    };
    assert_eq!(
        (export.format, export.room.as_str()),
        (crate::history::sqlite::Format::Json, "laboratório")
    );
    assert_eq!(export.history, PathBuf::from("x.db"));
    let Ok(Command::Export(export)) = parse_line("exportar") else {
        panic!()
    };
    assert_eq!(
        (export.format, export.room.as_str()),
        (crate::history::sqlite::Format::Text, "geral")
    );
    assert!(usage_error("exportar --formato pdf").contains("txt, json ou html"));
    assert!(usage_error("exportar --salla x").contains("--sala?"));
    assert!(usage_error("exportar --historico nenhum").contains("na memória"));
}

#[test]
fn options_appear_in_help_and_have_a_variable() {
    let help = help();
    for option in OPTIONS {
        let long = option.long_name();
        assert!(help.contains(&format!("--{long}")), "{long}");
        let expected = format!("PAPO_{}", long.to_uppercase().replace('-', "_"));
        assert_eq!(option.variable_name(), Some(expected.as_str()));
    }
}

#[test]
fn help_and_errors_contain_no_english() {
    let words = [
        "Usage", "Options", "Print", "default", "unknown", "invalid", "error", "missing",
        "argument",
    ];
    let shown = [
        help(),
        usage_error("--x"),
        usage_error("--porta"),
        usage_error("--rede=1"),
        usage_error("y"),
        usage_error("-z"),
    ];
    for text in shown {
        assert!(!words.iter().any(|word| text.contains(word)), "{text}");
    }
}

#[test]
fn history_limit_is_a_size_with_a_unit() {
    let limit = |value: &str| config(&format!("--historico-max {value}")).max_history;
    assert_eq!(limit("500MB"), Some(500_000_000));
    assert_eq!(limit("1,5gb"), Some(1_500_000_000));
    assert_eq!(limit("nenhum"), None);
    for wrong in ["500", "999KB", "-1GB", "muito", "MB", "infGB"] {
        let error = usage_error(&format!("--historico-max={wrong}"));
        assert!(error.contains("--historico-max 2GB"), "{wrong}: {error}");
    }
}
