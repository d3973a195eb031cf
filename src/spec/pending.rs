use super::plan::Plan;
use super::run::RunSpec;
pub fn run_spec_toml(spec: &RunSpec) -> String {
    toml::to_string(spec).unwrap_or_default()
}
pub struct Selection;
impl Selection {
    pub fn new(_: &[String], _: Option<&str>) -> anyhow::Result<Self> {
        Ok(Self)
    }
    pub fn indices(&self, plan: &Plan) -> Vec<usize> {
        (0..plan.runs.len()).collect()
    }
}
pub fn schema() -> serde_json::Value {
    super::schema::file()
}
pub fn init_starter() -> &'static str {
    ""
}
impl super::load::Loaded {
    pub fn explain(&self, _: &str) -> anyhow::Result<String> {
        Ok(String::new())
    }
}
