using System.Text;

namespace StickyWs.Fuzz;

/// <summary>An answer as one side has read it.</summary>
/// <param name="Status">The final status; 0 if there was none.</param>
/// <param name="Body">The body without its framing, as far as it came.</param>
/// <param name="Refusal">Why it is not a whole answer.</param>
internal sealed record SeenAnswer(int Status, byte[] Body, string? Refusal)
{
    /// <summary>Whether another request and its answer passed on the same connection.</summary>
    public bool WasKept { get; init; }

    public override string ToString() => $"{Status} \"{Encoding.Latin1.GetString(Body)}\" {(WasKept ? "kept " : "")}{Refusal}";
}
