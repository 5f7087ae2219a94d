using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using StickyWs.Affinity;
using StickyWs.Http1;
using StickyWs.Pipeline;
using StickyWs.Proxying;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Affinity;

/// <summary>
/// The same request as the rules see it from either source, and answers as they see them from either lane. Headers are lines without the last line
/// end.
/// </summary>
internal static class Views
{
    public static RequestView Sniffed(string target = "/", string headers = "", string? peer = "127.0.0.1", bool isHttps = false)
        => new(DispatchRig.Head(target, Ended(headers)), peer is null ? null : IPAddress.Parse(peer), isHttps);

    public static RequestView Parsed(string target = "/", string headers = "", string? peer = "127.0.0.1", string method = "GET", bool isHttps = false)
        => new(Request(target, headers, peer, method, isHttps));

    /// <summary>As the pipeline would have it, from the same bytes.</summary>
    public static HttpRequest Request(string target = "/", string headers = "", string? peer = "127.0.0.1", string method = "GET", bool isHttps = false)
    {
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var request = mark < 0 ? DispatchRig.Request(target, method: method) : DispatchRig.Request(target[..mark], target[mark..], method);
        request.Scheme = isHttps ? "https" : "http";
        request.HttpContext.Connection.RemoteIpAddress = peer is null ? null : IPAddress.Parse(peer);
        var lines = new List<(string Name, string Value)>();
        var reader = DispatchRig.Head(target, Ended(headers)).ReadHeaders();
        while (reader.Read()) lines.Add((Encoding.ASCII.GetString(reader.Name), Encoding.Latin1.GetString(reader.Value)));
        foreach (var name in lines.GroupBy(line => line.Name, StringComparer.OrdinalIgnoreCase))
            request.Headers[name.Key] = name.Select(line => line.Value).ToArray();
        ConnectionOptions.Strip(request.Headers);
        return request;
    }

    public static ResponseHead Answer(string headers = "", int status = 101)
    {
        _ = ResponseHead.TryParse(Encoding.Latin1.GetBytes($"HTTP/1.1 {status} X\r\n{Ended(headers)}\r\n"), out var head);
        return head ?? throw new ArgumentException("No answer: " + headers, nameof(headers));
    }

    /// <summary>The same answer by the raw lane's parser and by the HTTP client.</summary>
    public static IAnswerHead[] Answers(string headers)
    {
        var head = Answer(headers, 200);
        var response = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        var reader = head.ReadHeaders();
        while (reader.Read())
        {
            var (name, value) = (Encoding.ASCII.GetString(reader.Name), Encoding.Latin1.GetString(reader.Value));
            if (!response.Headers.TryAddWithoutValidation(name, value)) response.Content.Headers.TryAddWithoutValidation(name, value);
        }

        return [head, new HttpAnswerHead(response)];
    }

    private static string Ended(string headers) => headers.Length == 0 ? "" : headers + "\r\n";
}
