using System.Text;
using StickyWs.Detection;

namespace StickyWs.TestKit;

/// <summary>The first bytes of a connection, and what the sniffer must see in them.</summary>
/// <param name="Name">A name for test output.</param>
/// <param name="Verdict">The verdict on all of the bytes.</param>
/// <param name="Text">The bytes as Latin-1 text.</param>
internal sealed record HeadCase(string Name, Verdict Verdict, string Text)
{
    public byte[] Bytes { get; } = Encoding.Latin1.GetBytes(Text);

    public override string ToString() => Name;
}
