//! The schema of a table: what is needed, and what there is by default.

use serde_json::Value as Json;

/// A part of the schema twice: as merged layers must be, which says what is needed, and as a file
/// may be, which has the defaults.
#[derive(Clone, Copy)]
pub struct KeySchema<'a> {
    pub merged: &'a Json,
    pub file: &'a Json,
}

impl<'a> KeySchema<'a> {
    pub fn property(self, key: &str) -> Self {
        Self {
            merged: &self.merged["properties"][key],
            file: &self.file["properties"][key],
        }
    }

    pub fn named(self) -> Option<Self> {
        let inner = |schema: &'a Json| {
            let named = schema.get("additionalProperties")?;
            named.is_object().then_some(named)
        };
        Some(Self {
            merged: inner(self.merged)?,
            file: inner(self.file)?,
        })
    }

    /// The table of a list of tables.
    pub fn entry(self) -> Option<Self> {
        let is_table = self.file["items"].get("properties").is_some();
        is_table.then(|| Self {
            merged: &self.merged["items"],
            file: &self.file["items"],
        })
    }

    pub fn text(self) -> &'a str {
        self.file["description"].as_str().unwrap_or_default()
    }

    pub fn keys(self) -> Vec<(&'a str, Self)> {
        let keys = self.file["properties"].as_object().into_iter().flatten();
        keys.map(|(key, _)| (key.as_str(), self.property(key)))
            .collect()
    }

    pub fn needs(self, key: &str) -> bool {
        let needed = self.merged["required"].as_array();
        needed.is_some_and(|all| all.iter().any(|one| one == key))
    }

    /// The key whose value decides which others there are, and the tables by that value.
    pub fn variants(self) -> Option<(&'a str, Vec<(&'a str, Self)>)> {
        let list = |schema: &'a Json| {
            let list = schema.get("oneOf").or_else(|| schema.get("anyOf"))?;
            list.as_array()
        };
        let mut tag = None;
        let mut all = Vec::new();
        for (merged, file) in list(self.merged)?.iter().zip(list(self.file)?) {
            let keys = file.get("properties")?.as_object()?;
            let constant = |(key, of): (&'a String, &'a Json)| {
                Some((key.as_str(), of.get("const")?.as_str()?))
            };
            let (key, name) = keys.iter().find_map(constant)?;
            tag = Some(key);
            all.push((name, Self { merged, file }));
        }
        Some((tag?, all))
    }
}
