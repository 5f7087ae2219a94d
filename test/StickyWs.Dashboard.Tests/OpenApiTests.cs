using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Dashboard.Answers;
using StickyWs.Dashboard.Events;
using StickyWs.Dashboard.Reading;
using StickyWs.Dashboard.Steering;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>The document says what the endpoints do: the same paths, the same parameters, the same names in the answers.</summary>
public sealed partial class OpenApiTests : DashboardTest
{
    private static readonly JsonNode Document = Load();

    private static JsonObject Schemas => Document["components"]!["schemas"]!.AsObject();

    public static TheoryData<string> Contracts { get; } = [.. typeof(StateAnswer).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(StateAnswer).Namespace && Regex.IsMatch(type.Name, "(Answer|Event)$|^Problem$")).Select(type => type.Name)];

    [Fact]
    public async Task It_is_served_and_is_the_document()
    {
        var host = await StartAsync();

        Assert.True(JsonNode.DeepEquals(Document, (await host.GetAsync("openapi.json")).Body));
    }

    [Fact]
    public void Paths_are_the_routes()
        => Assert.Equal(
            Routes.All.Select(route => $"{route.Method} /{route.Path}").Order(StringComparer.Ordinal),
            Operations().Select(operation => $"{operation.Method} {operation.Path}").Order(StringComparer.Ordinal));

    [Fact]
    public async Task Routes_are_the_endpoints()
    {
        var host = await StartAsync();
        var endpoints = host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [],
                (endpoint, method) => $"{method} {endpoint.RoutePattern.RawText}");

        Assert.Equal(
            Routes.All.Select(route => $"{route.Method} /stickyws/{Whole().Replace(route.Path, "{target}")}")
                .Concat(Routes.Page.Select(path => $"GET /stickyws/{path}")).Order(StringComparer.Ordinal),
            endpoints.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Contracts))]
    public void Schemas_have_the_names_and_the_needs_of_the_answers(string contract)
    {
        var type = typeof(StateAnswer).Assembly.GetTypes().Single(type => type.Name == contract);
        JsonTypeInfo info = AnswerContext.Default.GetTypeInfo(type)!;
        var schema = Schemas[contract]!;
        var nullability = new System.Reflection.NullabilityInfoContext();
        var needed = type.GetProperties().Where(property => property.GetMethod!.IsPublic && property.Name != "EqualityContract")
            .Where(property => Nullable.GetUnderlyingType(property.PropertyType) is null
                && nullability.Create(property).ReadState != System.Reflection.NullabilityState.Nullable)
            .Select(property => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(property.Name));

        Assert.Equal(info.Properties.Select(property => property.Name).Order(StringComparer.Ordinal),
            schema["properties"]!.AsObject().Select(property => property.Key).Order(StringComparer.Ordinal));
        Assert.Equal(needed.Order(StringComparer.Ordinal), schema["required"]!.AsArray().Select(name => (string)name!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Schemas_describe_nothing_that_there_is_not()
        => Assert.Equal(Contracts.Select(row => row.Data).Order(StringComparer.Ordinal), Schemas.Select(schema => schema.Key).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("BackendAnswer", "state", typeof(StickyWs.Backends.BackendState))]
    [InlineData("BackendAnswer", "mode", typeof(StickyWs.Configuration.BackendMode))]
    [InlineData("BackendAnswer", "breaker", typeof(StickyWs.State.BreakerState))]
    [InlineData("TunnelAnswer", "tie", typeof(StickyWs.State.TunnelTie))]
    [InlineData("EndAnswer", "reason", typeof(StickyWs.Observability.EndReason))]
    [InlineData("PoolAnswer", "webSockets", typeof(StickyWs.Configuration.WebSocketMode))]
    [InlineData("DrainAnswer", "outcome", typeof(StickyWs.Draining.DrainOutcome))]
    public void Enumerations_are_complete(string schema, string property, Type values)
        => Assert.Equal(Enum.GetNames(values), Schemas[schema]!["properties"]![property]!["enum"]!.AsArray().Select(name => (string)name!));

    [Fact]
    public void Parameters_are_those_that_are_read()
    {
        Assert.Equal(TunnelParameters.Known, QueryOf("/tunnels", "get"));
        Assert.Equal(EventsEndpoint.Known, QueryOf("/events", "get"));
        Assert.Equal(TunnelParameters.Filters, QueryOf("/flows", "get"));
        Assert.Equal(RecentParameters.OfEnds, QueryOf("/ends", "get"));
        Assert.Equal(RecentParameters.OfRefusals, QueryOf("/refusals", "get"));
        Assert.Equal(TunnelEndpoints.Known, QueryOf("/tunnels/{id}:{action}", "post"));
        Assert.Equal(DrainParameters.Known, QueryOf("/pools/{pool}:{action}", "post"));
        Assert.Equal(["pool", "backend", .. DrainParameters.Known], QueryOf("/backends:{action}", "post"));
    }

    [Fact]
    public void Actions_are_the_verbs()
    {
        var action = Document["paths"]!["/pools/{pool}:{action}"]!["post"]!["parameters"]!.AsArray().Single(one => (string)one!["name"]! == "action");

        Assert.Equal(
            Verbs.Known.Order(StringComparer.Ordinal),
            action!["schema"]!["enum"]!.AsArray().Select(word => (string)word!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void References_lead_somewhere()
    {
        var references = Regex.Matches(Document.ToJsonString(), "#/components/schemas/(?<name>\\w+)").Select(match => match.Groups["name"].Value);
        Assert.NotEmpty(references);

        Assert.All(references.Distinct(), name => Assert.NotNull(Schemas[name]));
    }

    private static IEnumerable<(string Method, string Path)> Operations()
        => Document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject(), (path, operation) => (operation.Key.ToUpperInvariant(), path.Key));

    private static IEnumerable<string> QueryOf(string path, string method) => Document["paths"]![path]![method]!["parameters"]!.AsArray()
        .Where(parameter => (string)parameter!["in"]! == "query").Select(parameter => (string)parameter!["name"]!);

    private static JsonNode Load()
    {
        using var stream = typeof(StateAnswer).Assembly.GetManifestResourceStream("openapi.json")!;
        return JsonNode.Parse(stream)!;
    }

    // A segment with a name and its verb is one parameter of the route.
    [GeneratedRegex(@"\{\w+\}:[\w{}]+$")]
    private static partial Regex Whole();
}
