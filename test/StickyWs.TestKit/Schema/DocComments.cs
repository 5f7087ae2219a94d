using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace StickyWs.TestKit.Schema;

/// <summary>The summaries of an assembly's doc comments as plain text, from the XML file that the compiler writes beside the assembly.</summary>
public sealed partial class DocComments(Assembly assembly)
{
    private readonly Dictionary<string, XElement> _members = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml"))
        .Descendants("member").ToDictionary(member => (string)member.Attribute("name")!);

    /// <param name="member">A class or a property.</param>
    /// <param name="nullWord">What the text says in place of <see langword="null"/>.</param>
    public string Summary(MemberInfo member, string nullWord = "null")
    {
        var id = member is Type type ? $"T:{type.FullName}" : $"P:{member.DeclaringType!.FullName}.{member.Name}";
        var summary = _members.GetValueOrDefault(id)?.Element("summary") ?? throw new InvalidOperationException($"{id} has no summary.");
        return Spaces().Replace(string.Concat(summary.Nodes().Select(node => Text(node, nullWord))), " ").Trim();
    }

    private static string Text(XNode node, string nullWord) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"'{code.Value}'",
        XElement { Name.LocalName: "see" } see when (string?)see.Attribute("langword") is { } word => word == "null" ? nullWord : word,
        XElement { Name.LocalName: "see" } see when (string?)see.Attribute("cref") is { } target => $"'{target[(target.LastIndexOf('.') + 1)..]}'",
        _ => throw new NotSupportedException($"A doc comment with {node}."),
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
