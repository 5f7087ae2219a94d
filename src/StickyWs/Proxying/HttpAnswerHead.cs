using System.Text;
using StickyWs.Http1;

namespace StickyWs.Proxying;

/// <summary>The head of an answer that the HTTP client has read.</summary>
internal sealed class HttpAnswerHead(HttpResponseMessage response) : IAnswerHead
{
    public bool TryRead(string name, int occurrence, Span<byte> value, out int length)
    {
        length = 0;
        if (!response.Headers.NonValidated.TryGetValues(name, out var values) && !response.Content.Headers.NonValidated.TryGetValues(name, out values)) return false;
        foreach (var text in values)
        {
            if (occurrence-- > 0) continue;
            if (text.Length <= value.Length) length = Encoding.Latin1.GetBytes(text, value);
            return true;
        }

        return false;
    }
}
