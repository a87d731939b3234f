//! The requests and answers of `CloudFormation` and Lambda, as far as commands read them.

use greenroom_core::clock::Timestamp;
use http::{Request, header::CONTENT_TYPE};
use serde::{Deserialize, de::DeserializeOwned};

/// A request of the query protocol, which `CloudFormation` speaks.
pub(super) fn query(action: &str, parameters: &[(&str, &str)]) -> http::Result<Request<String>> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).append_pair("Version", "2010-05-15").extend_pairs(parameters);
    Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish())
}

/// Reads an answer of the query protocol.
pub(super) fn from_xml<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<dyn std::error::Error + Send + Sync>> {
    Ok(quick_xml::de::from_reader(body)?)
}

/// A list of the query protocol.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    #[serde(default = "Vec::new")]
    pub(super) member: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { member: Vec::new() }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct DescribeStacks {
    #[serde(rename = "DescribeStacksResult")]
    pub(super) result: Stacks,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Stacks {
    pub(super) stacks: List<DescribedStack>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribedStack {
    #[serde(rename = "StackStatus")]
    pub(super) status: String,
    #[serde(default)]
    pub(super) outputs: List<Pair>,
    #[serde(default)]
    pub(super) parameters: List<Pair>,
}

/// An output or a parameter of a stack.
#[derive(Debug, Deserialize)]
pub(super) struct Pair {
    #[serde(alias = "OutputKey", alias = "ParameterKey")]
    pub(super) key: String,
    #[serde(alias = "OutputValue", alias = "ParameterValue", default)]
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ListStackResources {
    #[serde(rename = "ListStackResourcesResult")]
    pub(super) result: Resources,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Resources {
    #[serde(rename = "StackResourceSummaries", default)]
    pub(super) resources: List<Resource>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Resource {
    #[serde(rename = "ResourceType")]
    pub(super) kind: String,
    pub(super) logical_resource_id: String,
    /// The name on the service; `None` until the resource has been made.
    pub(super) physical_resource_id: Option<String>,
}

/// The configuration of a function on Lambda.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Configuration {
    pub(crate) state: Option<String>,
    pub(crate) last_update_status: Option<String>,
    pub(crate) last_modified: Option<String>,
    pub(crate) runtime: Option<String>,
    #[serde(default)]
    pub(crate) architectures: Vec<String>,
    #[serde(default)]
    pub(crate) memory_size: u32,
    environment: Option<Variables>,
}

/// The one of a function's variables that commands read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Variables {
    variables: Option<TableName>,
}

#[derive(Debug, Deserialize)]
struct TableName {
    #[serde(rename = "TABLE_NAME")]
    table_name: Option<String>,
}

impl Configuration {
    /// When the function was last deployed; `None` if Lambda does not say.
    pub(crate) fn modified_at(&self) -> Option<Timestamp> {
        self.last_modified.as_deref().and_then(Timestamp::parse)
    }

    /// The table that the function uses; `None` if it uses none.
    pub(crate) fn table(&self) -> Option<&str> {
        self.environment.as_ref()?.variables.as_ref()?.table_name.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_read_with_and_without_outputs() {
        let stack = |lists: &str| {
            let xml = format!(
                "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
                 <DescribeStacksResult><Stacks><member><StackName>a</StackName>\
                 <StackStatus>CREATE_COMPLETE</StackStatus>{lists}</member></Stacks></DescribeStacksResult>\
                 <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>"
            );
            from_xml::<DescribeStacks>(xml.as_bytes()).unwrap().result.stacks.member.remove(0)
        };
        let pairs = |list: List<Pair>| list.member.into_iter().map(|pair| (pair.key, pair.value)).collect::<Vec<_>>();
        let full = stack(
            "<Outputs><member><OutputKey>ApiUrl</OutputKey><OutputValue>https://a/?b&amp;c</OutputValue></member>\
             <member><OutputKey>Other</OutputKey><OutputValue>x</OutputValue></member></Outputs>\
             <Parameters><member><ParameterKey>Empty</ParameterKey><ParameterValue/></member></Parameters>",
        );
        let [api, other] = [("ApiUrl", "https://a/?b&c"), ("Other", "x")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(pairs(full.outputs), [api, other]);
        assert_eq!(pairs(full.parameters), [("Empty".to_owned(), String::new())]);
        for lists in ["", "<Outputs/><Parameters></Parameters>"] {
            let bare = stack(lists);
            assert_eq!(
                (bare.status.as_str(), pairs(bare.outputs), pairs(bare.parameters).len()),
                ("CREATE_COMPLETE", vec![], 0)
            );
        }
    }

    #[test]
    fn a_page_of_resources_names_the_next() {
        let xml = "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>\
                   <member><ResourceType>AWS::Lambda::Function</ResourceType><LogicalResourceId>Users</LogicalResourceId>\
                   <PhysicalResourceId>a-Users-1</PhysicalResourceId></member>\
                   <member><ResourceType>AWS::Logs::LogGroup</ResourceType><LogicalResourceId>Log</LogicalResourceId></member>\
                   </StackResourceSummaries><NextToken>2</NextToken></ListStackResourcesResult></ListStackResourcesResponse>";
        let page = from_xml::<ListStackResources>(xml.as_bytes()).unwrap().result;
        let names = page.resources.member.iter().map(|resource| resource.physical_resource_id.as_deref());
        assert_eq!((names.collect::<Vec<_>>(), page.next_token.as_deref()), (vec![Some("a-Users-1"), None], Some("2")));
    }
}
