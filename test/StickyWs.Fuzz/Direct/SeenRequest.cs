using System.Text;

namespace StickyWs.Fuzz;

/// <summary>A request as one side has read it.</summary>
internal sealed record SeenRequest(string Method, string Target, string Path, string Host, string Headers, byte[] Body, bool Closes)
{
    public bool Same(SeenRequest other)
        => (Method, Target, Path, Host, Headers, Closes) == (other.Method, other.Target, other.Path, other.Host, other.Headers, other.Closes)
            && Body.AsSpan().SequenceEqual(other.Body);

    public override string ToString()
        => $"{Method} {Target} ({Path}) of {Host} {{{Headers}}} \"{Encoding.Latin1.GetString(Body)}\"{(Closes ? " closing" : "")}";
}
