//! A small command line, read from flags and variables, and its error messages.

use super::*;

#[derive(Default)]
struct Cup {
    size: u8,
    flavours: Vec<String>,
    lid: bool,
}

fn set_size(cup: &mut Cup, value: &str) -> Result<(), UsageError> {
    cup.size = value
        .parse()
        .map_err(|_| UsageError(format!("“{value}” não é um tamanho.")))?;
    Ok(())
}

fn add_flavour(cup: &mut Cup, value: &str) -> Result<(), UsageError> {
    cup.flavours.push(value.to_owned());
    Ok(())
}

fn add_lid(cup: &mut Cup, _: &str) -> Result<(), UsageError> {
    cup.lid = true;
    Ok(())
}

const LINE: CommandLine<Cup> = CommandLine {
    program: "copo",
    options: &[
        OptionSpec::new("tamanho", Argument::Value("N"), set_size)
            .short('t')
            .aliases(&["size"])
            .variable("COPO_TAMANHO")
            .example("--tamanho 3")
            .help("Tamanho do copo"),
        OptionSpec::new("sabor", Argument::List("NOME"), add_flavour)
            .variable("COPO_SABOR")
            .example("--sabor caju")
            .help("O que vai dentro (pode repetir)")
            .clear(|cup| cup.flavours.clear()),
        OptionSpec::new("tampa", Argument::Switch, add_lid)
            .variable("COPO_TAMPA")
            .help("Põe uma tampa"),
    ],
};

fn read(line: &str, variables: &[(&str, &str)]) -> Result<(Cup, Request), UsageError> {
    let mut cup = Cup::default();
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.into())
    };
    let invalid = LINE.read_variables(&mut cup, variable);
    let arguments = line.split_whitespace().map(OsString::from);
    let request = LINE.read_arguments(&mut cup, arguments, invalid)?;
    Ok((cup, request))
}

fn usage_error(line: &str, variables: &[(&str, &str)]) -> String {
    match read(line, variables) {
        Err(error) => error.0,
        Ok((_, request)) => panic!("{line}: {request:?}"),
    }
}

#[test]
fn flags_are_read_in_all_their_forms() {
    for line in ["-t3", "-t 3", "--tamanho 3", "--tamanho=3", "--size 3"] {
        let (cup, _) = read(line, &[]).unwrap();
        assert_eq!(cup.size, 3, "{line}");
    }
    let (cup, request) = read("um --tampa --sabor caju dois --sabor umbu", &[]).unwrap();
    assert!(cup.lid);
    assert_eq!(cup.flavours, ["caju", "umbu"]);
    assert_eq!(request, Request::Run(vec!["um".into(), "dois".into()]));
}

#[test]
fn variables_are_read_and_flags_override_them() {
    let variables = [
        ("COPO_TAMANHO", "2"),
        ("COPO_SABOR", "caju, umbu"),
        ("COPO_TAMPA", "sim"),
    ];
    let (cup, _) = read("", &variables).unwrap();
    assert!(cup.lid);
    assert_eq!(cup.size, 2);
    assert_eq!(cup.flavours, ["caju", "umbu"]);
    let (cup, _) = read("-t 5 --sabor manga", &variables).unwrap();
    assert_eq!(cup.size, 5);
    assert_eq!(cup.flavours, ["manga"]);
    let (cup, _) = read("", &[("COPO_TAMPA", "não"), ("COPO_TAMANHO", "")]).unwrap();
    assert!(!cup.lid);
}

#[test]
fn invalid_variable_is_an_error_only_where_it_is_used() {
    let variables = [("COPO_TAMANHO", "grande")];
    let size = "COPO_TAMANHO: “grande” não é um tamanho.";
    assert_eq!(usage_error("", &variables), size);
    assert!(read("-t 5", &variables).is_ok());
    assert!(matches!(
        read("--ajuda", &variables),
        Ok((_, Request::Help))
    ));
    let switch = "COPO_TAMPA: “talvez” não serve. Use sim ou não.";
    assert_eq!(usage_error("", &[("COPO_TAMPA", "talvez")]), switch);
}

#[test]
fn usage_errors_suggest_what_to_write() {
    for (line, expected) in [
        (
            "--tamnho 3",
            "Não conheço a opção “--tamnho”. Você quis dizer --tamanho? Veja todas com: copo --ajuda",
        ),
        (
            "-x",
            "Não conheço a opção “-x”. Veja todas com: copo --ajuda",
        ),
        (
            "--tamanho",
            "A opção “--tamanho” precisa de um valor, por exemplo: copo --tamanho 3",
        ),
        (
            "--tampa=1",
            "A opção “--tampa” não leva valor, mas veio “1”. Veja as opções com: copo --ajuda",
        ),
    ] {
        assert_eq!(usage_error(line, &[]), expected);
    }
    let rejected = LINE.reject_positional(&["suco".into()]).unwrap_err();
    assert!(rejected.0.starts_with("Não sei o que fazer com “suco”."));
}

#[test]
fn value_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let value = OsString::from_vec(vec![b'3', 0xFF]);
    let result = LINE.read_arguments(
        &mut Cup::default(),
        ["--tamanho".into(), value],
        InvalidVariables::default(),
    );
    assert!(result.unwrap_err().0.contains("não é um texto válido"));
}

#[test]
fn help_has_a_line_for_each_option() {
    let expected = "  -t, --tamanho <N>         Tamanho do copo\n      \
                    --sabor <NOME>        O que vai dentro (pode repetir)\n      \
                    --tampa               Põe uma tampa\n  \
                    -h, --ajuda               Mostra esta ajuda (--help também vale)\n  \
                    -V, --versao              Mostra a versão\n";
    assert_eq!(LINE.option_help(), expected);
}
