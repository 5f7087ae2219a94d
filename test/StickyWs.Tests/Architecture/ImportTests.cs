using System.Text.RegularExpressions;
using StickyWs.Backends;

namespace StickyWs.Tests.Architecture;

public sealed partial class ImportTests
{
    private static readonly HashSet<(TypeName From, TypeName To)> References = TypeReferences.Of(typeof(BackendRegistry).Assembly.Location);

    [Fact]
    public void Rooms_ImportOnlyWhatTheTableAllows() => Assert.Empty(Broken(References, Rooms.MayImport));

    [Fact]
    public void Rooms_OfTheTable_AreThoseOfTheAssembly()
        => Assert.Equal(Rooms.MayImport.Keys.Order(), References.Select(reference => Rooms.Of(reference.From)).OfType<string>().Distinct().Order());

    // Read from the top, a room imports only rooms that were shown before it.
    [Fact]
    public void Table_HasNoCircle()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "ARCHITECTURE.md"));
        var shown = TableRow().Matches(page).Select(row => row.Groups["room"].Value).ToList();

        Assert.All(Rooms.MayImport, room => Assert.All(room.Value,
            import => Assert.True(shown.IndexOf(import) < shown.IndexOf(room.Key), $"{room.Key} imports {import}, which comes later")));
    }

    // An entry that nobody uses is a door left open. Constants leave no trace in an assembly, and Observability is mostly these.
    [Fact]
    public void Rooms_UseEveryEntryOfTheTable()
    {
        var used = References.Select(reference => (Rooms.Of(reference.From) ?? "", Rooms.Of(reference.To) ?? ""));

        var unused = Rooms.MayImport.SelectMany(room => room.Value, (room, import) => (room.Key, import)).Except(used);

        Assert.DoesNotContain(unused, entry => entry is not ("Hosting", _) and not (_, "Observability"));
    }

    [Fact]
    public void Rooms_WithAStricterTable_AreFoundToBreakIt()
    {
        var stricter = Rooms.MayImport.ToDictionary(room => room.Key,
            room => room.Key == "Dispatch" ? [.. room.Value.Where(import => import != "Balancing")] : room.Value);

        Assert.Contains(Broken(References, stricter),
            broken => broken == "Dispatch must not import Balancing: StickyWs.Dispatch.PolicyRunner -> StickyWs.Balancing.ILoadBalancingPolicy");
    }

    [Fact]
    public void Table_IsTheOneOfTheArchitecturePage()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "ARCHITECTURE.md"));
        var rows = TableRow().Matches(page).ToDictionary(row => row.Groups["room"].Value, row => row.Groups["imports"].Value);

        Assert.Equal(Rooms.MayImport.Keys.Order(), rows.Keys.Order());
        Assert.All(Rooms.MayImport, room => Assert.Equal(room.Key == "Hosting" ? "all" : room.Value.Length == 0 ? "-" : string.Join(", ", room.Value),
            rows[room.Key]));
    }

    [Fact]
    public void Polly_IsKnownToHealthTheDialerAndTheSharedPinsOnly()
    {
        var users = References.Where(reference => reference.To.Assembly.StartsWith("Polly", StringComparison.Ordinal))
            .Select(reference => reference.From).ToHashSet();

        Assert.NotEmpty(users);
        Assert.All(users, user => Assert.True(Rooms.Of(user) is "Health" or "Hosting"
            || user is { Namespace: "StickyWs.Dialing", Name: "BackendDialer" } or { Namespace: "StickyWs.Pinning", Name: "SharedPins" }, user.ToString()));
    }

    [Fact]
    public void Types_OutsideTheRooms_AreGenerated()
    {
        var strangers = typeof(BackendRegistry).Assembly.GetTypes()
            .Where(type => !type.IsNested && Rooms.Of(new TypeName("StickyWs", type.Namespace ?? "", type.Name)) is null)
            .Where(type => !type.Name.StartsWith('<')
                && !type.CustomAttributes.Any(attribute => attribute.AttributeType.Name is "GeneratedCodeAttribute" or "CompilerGeneratedAttribute"));

        Assert.Empty(strangers);
    }

    private static IEnumerable<string> Broken(IEnumerable<(TypeName From, TypeName To)> references, IReadOnlyDictionary<string, string[]> table)
        => from reference in references
           let room = Rooms.Of(reference.From)
           let import = Rooms.Of(reference.To)
           where room is not null && import is not null && import != room && !table[room].Contains(import)
           select $"{room} must not import {import}: {reference.From} -> {reference.To}";

    [GeneratedRegex(@"^\| `(?<room>\w+)` \|[^|]*\| (?<imports>[\w, -]+) \|$", RegexOptions.Multiline)]
    private static partial Regex TableRow();
}
