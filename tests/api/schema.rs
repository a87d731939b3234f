//! Checks of JSON against the schemas of the OpenAPI document.

use boon::{CompileError, Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

/// The name of a schema that is checked.
const NAME: &str = "schema.json";

/// A schema of the document, ready to check values.
pub(crate) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    /// This schema, which may refer to the components of the document.
    pub(crate) fn of(schema: &Value, document: &Value) -> Result<Self, Box<CompileError>> {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.add_resource(NAME, json!({ "allOf": [schema], "components": document["components"] }))?;
        let index = compiler.compile(NAME, &mut schemas)?;
        Ok(Self { schemas, index })
    }

    /// How a value differs from the schema; `None` if it does not.
    pub(crate) fn misfit(&self, value: &Value) -> Option<String> {
        self.schemas.validate(value, self.index).err().map(|error| error.to_string())
    }
}
