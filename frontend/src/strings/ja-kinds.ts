// 日本語: イベントの種類ごとの名前、意味、できること

import type { enKinds } from "./en-kinds.js";

export const jaKinds: Record<keyof typeof enKinds, string> = {
  "kind.new_device": "新しいデバイス",
  "kind.new_device.meaning": "これまで見たことのないデバイスがネットワークに参加しました。",
  "kind.new_device.advice": "ご存じのデバイスなら名前を付けてください。心当たりがなければ隔離してください。",
  "kind.threat_address": "リストにあるアドレス",
  "kind.threat_address.meaning": "脅威リストにあるアドレスと、デバイスがデータをやり取りしました。",
  "kind.threat_address.advice": "そのアドレスをブロックし、このデバイスのほかの通信も確認してください。",
  "kind.threat_domain": "リストにあるドメイン",
  "kind.threat_domain.meaning": "脅威リストにあるドメインを、デバイスが問い合わせたか、その相手と通信しました。",
  "kind.threat_domain.advice": "その名前をブロックし、このデバイスのほかの通信も確認してください。",
  "kind.forbidden_protocol": "禁止されたプロトコル",
  "kind.forbidden_protocol.meaning":
    "ポリシーで許可されていないプロトコル（暗号資産の採掘、Tor、Telnet など）を、デバイスが使っています。",
  "kind.forbidden_protocol.advice":
    "意図して使っていないなら、デバイスを隔離してください。意図したものなら、問題なしとするかポリシーで許可してください。",
  "kind.unexpected_destination": "予期しない宛先",
  "kind.unexpected_destination.meaning": "デバイスが、これまでの通信相手とは異なる相手と通信しています。",
  "kind.unexpected_destination.advice":
    "アップデートや新しいアプリなどの理由があれば問題なしとしてください。なければ相手をブロックしてください。",
  "kind.local_device_on_internet": "家庭内専用デバイスのインターネット通信",
  "kind.local_device_on_internet.meaning": "普段は家庭内でしか通信しないデバイスが、インターネットと通信しています。",
  "kind.local_device_on_internet.advice":
    "インターネットが不要なデバイスなら、インターネットとの通信を遮断してください。問題なければ問題なしとしてください。",
  "kind.segment_crossing": "セグメントをまたぐ通信",
  "kind.segment_crossing.meaning":
    "デバイスが、許可されていないネットワークの区画に接続しようとしたか、偽のアドレスから送信しています。",
  "kind.segment_crossing.advice": "デバイスを隔離してください。接続してよい区画なら、ポリシーで許可してください。",
  "kind.port_scan": "ポートスキャン",
  "kind.port_scan.meaning":
    "デバイスが、1 台の相手の多数のポートに次々と接続を試み、そのほとんどに失敗しています。侵入者の下調べによく見られる動きです。",
  "kind.port_scan.advice": "ご家庭で意図してスキャンしているのでなければ、デバイスを隔離してください。",
  "kind.address_scan": "アドレススキャン",
  "kind.address_scan.meaning":
    "デバイスが、多数の相手に同じサービスがないか探し、そのほとんどに失敗しています。ワームが広がるときによく見られる動きです。",
  "kind.address_scan.advice": "ご家庭で意図してスキャンしているのでなければ、デバイスを隔離してください。",
  "kind.connection_burst": "接続の急増",
  "kind.connection_burst.meaning": "デバイスが、これまでになく多くの接続を始めています。",
  "kind.connection_burst.advice": "通信相手を確認してください。理由が見当たらなければ、制限するか隔離してください。",
  "kind.flood": "フラッド",
  "kind.flood.meaning": "相手に過大な負荷をかけるほどの速さで、パケットが送られています。",
  "kind.flood.advice":
    "ご家庭のデバイスが送っているなら隔離してください。インターネットからのフラッドを防ぐには、センサーのしきい値の設定が必要です。",
  "kind.volume_anomaly": "通常と異なる通信量",
  "kind.volume_anomaly.meaning": "この曜日と時間帯の普段の量を大きく超えるデータを、デバイスがやり取りしています。",
  "kind.volume_anomaly.advice": "通信相手を確認してください。バックアップやアップデートなら問題なしとしてください。",
  "kind.behaviour_anomaly": "通常と異なる挙動",
  "kind.behaviour_anomaly.meaning": "デバイスの動きが、全体として、学習した普段の動きと異なっています。",
  "kind.behaviour_anomaly.advice": "どの点が目立つかを詳細で確認してください。理由があれば問題なしとしてください。",
  "kind.beacon": "ビーコン",
  "kind.beacon.meaning":
    "デバイスが、同じ相手を一定の間隔で何度も呼び出しています。マルウェアの定期連絡によく見られますが、通常のサービスのこともあります。",
  "kind.beacon.advice": "ご存じの相手なら問題なしとしてください。そうでなければブロックしてください。",
  "kind.dns_tunnel": "DNS トンネル",
  "kind.dns_tunnel.meaning": "デバイスが、名前の問い合わせに紛れ込ませてデータを送り出しているようです。",
  "kind.dns_tunnel.advice": "そのドメインをブロックし、デバイスを隔離してください。",
  "kind.address_conflict": "アドレスの競合",
  "kind.address_conflict.meaning":
    "2 台のデバイスが同じアドレスを名乗っています。設定の間違いのこともあれば、相手の通信を盗み見ようとしていることもあります。",
  "kind.address_conflict.advice":
    "ゲートウェイのアドレスを名乗るデバイスがあれば隔離してください。そうでなければ、それぞれに別のアドレスを割り当ててください。",
  "kind.rogue_dhcp": "不正な DHCP サーバーまたはルーター",
  "kind.rogue_dhcp.meaning":
    "別のデバイスがアドレスを配っているか、ルーターを名乗っています。ご家庭の通信を横取りされるおそれがあります。",
  "kind.rogue_dhcp.advice": "ご自身のルーターなら、その DHCP サーバーを止めてください。そうでなければ隔離してください。",
  "kind.unexpected_process": "予期しないプログラム",
  "kind.unexpected_process.meaning": "ゲートウェイのプログラムが、これまでになかった動作をしています。",
  "kind.unexpected_process.advice":
    "ご自身で導入や変更をしたプログラムなら問題なしとしてください。そうでなければ、どこから来たものか調べてください。",
  "kind.suspicious_syscall": "不審なシステムコール",
  "kind.suspicious_syscall.meaning":
    "ゲートウェイのプロセスが、通信につながれたシェルやほかのプロセスの乗っ取りなど、侵入者に見られる動作をしています。",
  "kind.suspicious_syscall.advice":
    "誰が起動したか確認してください。心当たりがなければ、プログラムをブロックし、停止してください。",
  "kind.exec_and_connect": "新しいプログラムによる接続",
  "kind.exec_and_connect.meaning": "ゲートウェイに置かれたばかりのプログラムが実行され、通信しています。",
  "kind.exec_and_connect.advice":
    "ご自身で置いたものでなければ、プログラムをブロックし、どのように置かれたか調べてください。",
  "kind.blocked": "ルールの適用",
  "kind.blocked.meaning": "これ以降、ルールによって通信が制限されます。",
  "kind.blocked.advice": "対応は不要です。デバイスの隔離を解除するかルールを終了すると、元どおり通信できます。",
  "kind.unblocked": "ルールの終了",
  "kind.unblocked.meaning": "ルールが解除されたか期限が切れ、通信の制限がなくなりました。",
  "kind.unblocked.advice": "対応は不要です。",
  "kind.other": "その他",
  "kind.other.meaning": "このカードがまだ知らない種類のイベントを、センサーが知らせています。",
  "kind.other.advice": "Home Assistant の Hearthwall を更新し、このページを再読み込みしてください。",
};
