using System.Text;

namespace StickyWs.Fuzz;

/// <summary>A property that was broken, with what it takes to see it again.</summary>
public sealed class FuzzFailureException(int seed, int number, byte[] input, Exception cause)
    : Exception($"Seed {seed}, case {number}: {cause.Message}\nInput: {Show(input)}", cause)
{
    private static string Show(byte[] input)
    {
        var text = new StringBuilder();
        foreach (var b in input) _ = b is >= 0x20 and < 0x7F and not (byte)'\\' ? text.Append((char)b) : text.Append($"\\x{b:X2}");
        return text.ToString();
    }
}
