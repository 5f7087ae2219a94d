using System.Text;

namespace StickyWs.Http1;

/// <summary>The head of a backend's answer to a direct request, for those that learn from it: without the headers that end here.</summary>
/// <param name="head">A copy of the head.</param>
/// <param name="answer">What the parser took it for.</param>
internal sealed class DirectAnswerHead(byte[] head, DirectAnswer answer) : IAnswerHead
{
    public bool TryRead(string name, int occurrence, Span<byte> value, out int length)
    {
        length = 0;
        var headers = answer.Headers(head);
        while (headers.Read())
        {
            if (!Ascii.EqualsIgnoreCase(headers.Name, name) || !DirectAnswerWriter.Passes(headers.Name, head, answer) || occurrence-- > 0) continue;
            if (headers.Value.TryCopyTo(value)) length = headers.Value.Length;
            return true;
        }

        return false;
    }
}
