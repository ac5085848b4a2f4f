//! The server's table of options, and how each value is checked.

use super::{Config, HistoryLocation, file};
use crate::cli::{Argument, OptionSpec, UsageError};
use crate::protocol::Password;
use crate::pt::group_thousands;
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr};

/// Highest connection limit that may be asked for; no system allows so many.
const MAX_CONNECTIONS: usize = 1_000_000;
/// Highest rate that still limits anything, in messages per second.
const MAX_RATE: f64 = 100_000.0;
/// Lowest rate, in messages per second: one in a hundred seconds.
const MIN_RATE: f64 = 0.01;
/// Longest retention, in days: a hundred years.
const MAX_KEEP_DAYS: u32 = 36_500;

/// Smallest limit of the history, in bytes: an empty one has a tenth of it.
const MIN_HISTORY: u64 = 1_000_000;

/// All options, in the order of the help.
pub(super) const OPTIONS: &[OptionSpec<Config>] = &[
    OptionSpec::new("porta", Argument::Value("N"), set_port)
        .short('p')
        .variable("PAPO_PORTA")
        .example("--porta 9000")
        .help("Porta de escuta; 0 escolhe uma livre [padrão: 9000]"),
    OptionSpec::new("rede", Argument::Switch, set_network)
        .short('r')
        .variable("PAPO_REDE")
        .help("Abre à rede local (o mesmo que --endereco 0.0.0.0) e mostra o QR code"),
    OptionSpec::new("endereco", Argument::Value("IP"), set_address)
        .short('e')
        .variable("PAPO_ENDERECO")
        .example("--endereco 192.168.0.10")
        .help("Endereço de escuta [padrão: 127.0.0.1, só este computador]"),
    OptionSpec::path("historico", "ARQUIVO", set_history)
        .variable("PAPO_HISTORICO")
        .example("--historico historico.db")
        .help("Onde guardar as mensagens; “nenhum” guarda só na memória [padrão: historico.db]"),
    OptionSpec::new("guardar", Argument::Value("DIAS"), set_keep_days)
        .variable("PAPO_GUARDAR")
        .example("--guardar 30")
        .help("Por quantos dias guardar as mensagens, ou “sempre” [padrão: sempre]"),
    OptionSpec::new("historico-max", Argument::Value("TAMANHO"), set_max_history)
        .variable("PAPO_HISTORICO_MAX")
        .example("--historico-max 2GB")
        .help("Até que tamanho o histórico cresce, ou “nenhum” [padrão: nenhum]"),
    OptionSpec::path("copia", "ARQUIVO", set_copy)
        .variable("PAPO_COPIA")
        .example("--copia copia.db")
        .help("O mesmo que “servidor copiar ARQUIVO”"),
    OptionSpec::new("ritmo", Argument::Value("N"), set_rate)
        .variable("PAPO_RITMO")
        .example("--ritmo 5")
        .help("Mensagens por segundo de cada pessoa; 0 = sem limite [padrão: 5]"),
    OptionSpec::new("max-conexoes", Argument::Value("N"), set_max_connections)
        .variable("PAPO_MAX_CONEXOES")
        .example("--max-conexoes 1000")
        .help("Limite de conexões ao mesmo tempo [padrão: o que a máquina aguenta, até 10000]"),
    OptionSpec::new("origem", Argument::List("URL"), add_origin)
        .variable("PAPO_ORIGEM")
        .example("--origem https://papo.exemplo.com.br")
        .help("Aceita também páginas servidas por este endereço (pode repetir)")
        .clear(|config| config.origins.clear()),
    OptionSpec::new("dominio", Argument::List("NOME"), add_domain)
        .variable("PAPO_DOMINIO")
        .example("--dominio papo.exemplo.com.br")
        .help("Atende também por este nome (pode repetir)")
        .clear(|config| config.domains.clear()),
    OptionSpec::new("senha", Argument::Value("SENHA"), set_password)
        .variable("PAPO_SENHA")
        .example("--senha SENHA")
        .help("Pede esta senha a quem entra; em PAPO_SENHA as outras contas da máquina não a veem"),
    OptionSpec::new("sem-qr", Argument::Switch, set_no_qr)
        .variable("PAPO_SEM_QR")
        .help("Não mostra o QR code"),
    OptionSpec::path("log", "ARQUIVO", set_log_file)
        .variable("PAPO_LOG")
        .example("--log papo.log")
        .help("Escreve os registros neste arquivo, em vez da saída de erros"),
    OptionSpec::new("detalhes", Argument::Switch, add_verbosity)
        .short('v')
        .variable("PAPO_DETALHES")
        .help("Registra mais (repita para ainda mais)")
        .clear(|config| config.verbosity = 0),
];

fn set_port(config: &mut Config, value: &str) -> Result<(), UsageError> {
    config.port = value.parse().map_err(|_| {
        UsageError(format!("“{value}” não é uma porta. Use um número de 1 a 65535, por exemplo: servidor --porta 9000"))
    })?;
    Ok(())
}

fn set_network(config: &mut Config, _: &str) -> Result<(), UsageError> {
    config.address = Ipv4Addr::UNSPECIFIED.into();
    Ok(())
}

fn set_address(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let address = if value == "localhost" {
        Ok(Ipv4Addr::LOCALHOST.into())
    } else {
        value.parse::<IpAddr>()
    };
    config.address = address.map_err(|_| {
        let text = format!(
            "“{value}” não é um endereço IP. Use um dos endereços deste computador, por exemplo: servidor --endereco \
             192.168.0.10, ou --rede para todos."
        );
        UsageError(text)
    })?;
    Ok(())
}

fn set_history(config: &mut Config, value: &OsStr) -> Result<(), UsageError> {
    config.history = HistoryLocation::parse(value)?;
    Ok(())
}

fn set_keep_days(config: &mut Config, value: &str) -> Result<(), UsageError> {
    if value == "sempre" {
        config.keep_days = None;
        return Ok(());
    }
    let days = value
        .parse()
        .ok()
        .filter(|days| (1..=MAX_KEEP_DAYS).contains(days));
    config.keep_days = Some(days.ok_or_else(|| {
        UsageError(format!(
            "“{value}” não é um número de dias. Use por exemplo: servidor --guardar 30, ou --guardar sempre"
        ))
    })?);
    Ok(())
}

fn set_max_history(config: &mut Config, value: &str) -> Result<(), UsageError> {
    if value == "nenhum" {
        config.max_history = None;
        return Ok(());
    }
    let bytes = parse_size(value).filter(|&bytes| bytes >= MIN_HISTORY);
    config.max_history = Some(bytes.ok_or_else(|| {
        UsageError(format!(
            "“{value}” não é um tamanho que sirva. Use pelo menos 1MB, por exemplo: servidor --historico-max 2GB"
        ))
    })?);
    Ok(())
}

/// Bytes of a size such as `500MB` or `1,5 GB`.
fn parse_size(value: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 4] = [("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12)];
    let value = value.trim().to_ascii_uppercase();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((value.strip_suffix(name)?, unit)))?;
    let number: f64 = number.trim().replace(',', ".").parse().ok()?;
    let bytes = number * unit;
    (0.0..=1e18).contains(&bytes).then_some(bytes as u64)
}

fn set_copy(config: &mut Config, value: &OsStr) -> Result<(), UsageError> {
    config.copy_to = Some(file(value, "--copia copia.db")?);
    Ok(())
}

fn set_rate(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let rate = value.replace(',', ".").parse::<f64>().ok();
    let rate = rate.filter(|&rate| rate == 0.0 || (MIN_RATE..=MAX_RATE).contains(&rate));
    config.rate = rate.ok_or_else(|| {
        UsageError(format!(
            "“{value}” não é um ritmo. Use mensagens por segundo, por exemplo: servidor --ritmo 5"
        ))
    })?;
    Ok(())
}

fn set_max_connections(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let number = value
        .parse()
        .ok()
        .filter(|number| (1..=MAX_CONNECTIONS).contains(number));
    config.max_connections = number.ok_or_else(|| {
        let text = format!(
            "“{value}” não é um número de conexões. Use de 1 a {}, por exemplo: servidor --max-conexoes 1000",
            group_thousands(MAX_CONNECTIONS as u64)
        );
        UsageError(text)
    })?;
    Ok(())
}

fn set_password(config: &mut Config, value: &str) -> Result<(), UsageError> {
    // The message never repeats the password.
    let text = format!(
        "Esta senha não serve. Use de 1 a {} caracteres: servidor --senha SENHA",
        Password::MAX
    );
    config.password = Some(Password::new(value).ok_or(UsageError(text))?);
    Ok(())
}

fn add_origin(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let origin = value.trim_end_matches('/').to_ascii_lowercase();
    let rest = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    let well_formed =
        origin == "null" || rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', ' ']));
    if !well_formed {
        let text = format!(
            "“{value}” não é a origem de uma página. Escreva como no navegador, sem caminho: servidor --origem \
             https://papo.exemplo.com.br"
        );
        return Err(UsageError(text));
    }
    config.origins.push(origin);
    Ok(())
}

fn add_domain(config: &mut Config, value: &str) -> Result<(), UsageError> {
    let domain = value.trim_end_matches('.').to_ascii_lowercase();
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if domain.is_empty() || !domain.chars().all(allowed) {
        let text = format!(
            "“{value}” não é um nome de domínio. Por exemplo: servidor --dominio papo.exemplo.com.br"
        );
        return Err(UsageError(text));
    }
    config.domains.push(domain);
    Ok(())
}

fn set_no_qr(config: &mut Config, _: &str) -> Result<(), UsageError> {
    config.qr_code = false;
    Ok(())
}

fn set_log_file(config: &mut Config, value: &OsStr) -> Result<(), UsageError> {
    config.log_file = Some(file(value, "--log papo.log")?);
    Ok(())
}

fn add_verbosity(config: &mut Config, _: &str) -> Result<(), UsageError> {
    config.verbosity = config.verbosity.saturating_add(1);
    Ok(())
}
